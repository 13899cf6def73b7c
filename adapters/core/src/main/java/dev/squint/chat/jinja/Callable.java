package dev.squint.chat.jinja;

/** A value that can be called. */
interface Callable {

  /** Calls it. */
  Object call(Rendering on, Arguments arguments);
}
