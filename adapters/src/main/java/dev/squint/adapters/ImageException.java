package dev.squint.adapters;

/** A picture that cannot be used; the message names it and what to do. */
public class ImageException extends IllegalArgumentException {

  private static final long serialVersionUID = 1L;

  /** Creates one with its sentence. */
  public ImageException(String message) {
    super(message);
  }

  /** Creates one with its sentence and its cause. */
  public ImageException(String message, Throwable cause) {
    super(message, cause);
  }
}
