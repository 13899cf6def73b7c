package dev.squint.models;

/**
 * A model, prompt or device that cannot be used, told in one sentence with the mend where there is
 * one.
 */
public class ModelException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  /**
   * @param message one sentence that names the thing and the mend
   */
  public ModelException(String message) {
    super(message);
  }

  /**
   * @param message one sentence that names the thing and the mend
   * @param cause what the lower layer said
   */
  public ModelException(String message, Throwable cause) {
    super(message, cause);
  }
}
