package dev.squint.adapters;

/** Questions that cannot be used; the message names the file and what to do. */
public class DataException extends IllegalArgumentException {

  private static final long serialVersionUID = 1L;

  /** Creates one with its sentence. */
  public DataException(String message) {
    super(message);
  }

  /** Creates one with its sentence and its cause. */
  public DataException(String message, Throwable cause) {
    super(message, cause);
  }
}
