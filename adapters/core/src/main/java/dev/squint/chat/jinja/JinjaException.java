package dev.squint.chat.jinja;

/**
 * A template that cannot be rendered, or rendered rightly. The message is a clause that names line
 * and construct.
 */
public final class JinjaException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  JinjaException(String message, Throwable cause) {
    super(message, cause);
  }
}
