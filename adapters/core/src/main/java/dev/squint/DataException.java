package dev.squint;

import dev.squint.error.SquintException;

/** Questions that cannot be used; the message names the file and what to do. */
public class DataException extends SquintException {

  private static final long serialVersionUID = 1L;

  /** Creates one with its sentence. */
  public DataException(String message) {
    super(Kind.BAD_REQUEST, message);
  }

  /** Creates one with its sentence and its cause. */
  public DataException(String message, Throwable cause) {
    super(Kind.BAD_REQUEST, message, cause);
  }
}
