package dev.squint.adapters;

/** An overlay that cannot be written; the message names the file and what to do. */
public class OverlayException extends IllegalArgumentException {

  private static final long serialVersionUID = 1L;

  /** Creates one with its sentence. */
  public OverlayException(String message) {
    super(message);
  }

  /** Creates one with its sentence and its cause. */
  public OverlayException(String message, Throwable cause) {
    super(message, cause);
  }
}
