package dev.squint.chat.jinja;

/** A compiled expression. */
interface Expression {

  /**
   * Its value.
   *
   * @param on what is being rendered
   * @return a value of {@link Values}
   */
  Object value(Rendering on);
}
