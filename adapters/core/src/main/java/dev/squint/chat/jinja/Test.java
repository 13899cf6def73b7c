package dev.squint.chat.jinja;

/** A test of jinja2. */
interface Test {

  /** Whether it holds for a value. */
  boolean holds(Rendering on, Object value, Arguments arguments);
}
