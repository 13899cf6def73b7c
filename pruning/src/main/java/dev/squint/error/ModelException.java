package dev.squint.error;

/** A model, prompt or device that cannot be used; by default the model is to blame. */
public class ModelException extends SquintException {

  private static final long serialVersionUID = 1L;

  /**
   * A model that cannot be used.
   *
   * @param message one sentence that names the thing and the fix
   */
  public ModelException(String message) {
    this(message, null);
  }

  /**
   * A model that cannot be used.
   *
   * @param message one sentence that names the thing and the fix
   * @param cause what the lower layer said, or null
   */
  public ModelException(String message, Throwable cause) {
    this(Kind.BAD_MODEL, message, cause);
  }

  /**
   * Something else that goes wrong with a model.
   *
   * @param kind whose fault it is
   * @param message one sentence that names the thing and the fix
   */
  public ModelException(Kind kind, String message) {
    this(kind, message, null);
  }

  /**
   * Something else that goes wrong with a model.
   *
   * @param kind whose fault it is
   * @param message one sentence that names the thing and the fix
   * @param cause what the lower layer said, or null
   */
  public ModelException(Kind kind, String message, Throwable cause) {
    super(kind, message, cause);
  }
}
