package dev.squint.family;

import dev.squint.error.SquintException;

/** A question that cannot be asked; the message says why and what to do. */
public class PromptException extends SquintException {

  private static final long serialVersionUID = 1L;

  /** Creates one with its sentence. */
  public PromptException(String message) {
    super(Kind.BAD_REQUEST, message);
  }

  /** Creates one with its sentence and its cause. */
  public PromptException(String message, Throwable cause) {
    super(Kind.BAD_REQUEST, message, cause);
  }
}
