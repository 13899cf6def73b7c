package dev.squint.chat.jinja;

import com.hubspot.jinjava.interpret.InterpretException;

/** What stops a template, in the one exception that jinjava's nodes let through as it is. */
final class Fault extends InterpretException {

  private static final long serialVersionUID = 1L;

  private Fault(String message) {
    super(message);
  }

  static Fault of(String message, Object... arguments) {
    return new Fault(arguments.length == 0 ? message : message.formatted(arguments));
  }

  /** A fault within a line of the template. */
  static Fault at(int line, String message, Object... arguments) {
    return new Fault("line " + line + ": " + of(message, arguments).getMessage());
  }
}
