package dev.squint.image;

import dev.squint.error.SquintException;

/** An image that cannot be used; the message names it and what to do. */
public class ImageException extends SquintException {

  private static final long serialVersionUID = 1L;

  /** Creates one with its sentence. */
  public ImageException(String message) {
    super(Kind.BAD_REQUEST, message);
  }

  /** Creates one with its sentence and its cause. */
  public ImageException(String message, Throwable cause) {
    super(Kind.BAD_REQUEST, message, cause);
  }
}
