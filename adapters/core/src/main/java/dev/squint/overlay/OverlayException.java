package dev.squint.overlay;

import dev.squint.error.SquintException;

/** An overlay that cannot be written; the message names the file and what to do. */
public class OverlayException extends SquintException {

  private static final long serialVersionUID = 1L;

  /** Creates one with its sentence. */
  public OverlayException(String message) {
    super(Kind.BAD_REQUEST, message);
  }

  /** Creates one with its sentence and its cause. */
  public OverlayException(String message, Throwable cause) {
    super(Kind.BAD_REQUEST, message, cause);
  }
}
