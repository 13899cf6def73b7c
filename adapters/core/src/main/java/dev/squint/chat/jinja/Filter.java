package dev.squint.chat.jinja;

/** A filter of jinja2. */
interface Filter {

  /** The value that becomes of another. */
  Object apply(Rendering on, Object value, Arguments arguments);
}
