package dev.squint.error;

/**
 * A strategy that cannot be read, or cannot act on the model at hand; the message says what to
 * change.
 */
public class StrategyException extends SquintException {

  private static final long serialVersionUID = 1L;

  /**
   * Creates the exception.
   *
   * @param message one sentence that names the thing and the fix
   */
  public StrategyException(String message) {
    super(Kind.REFUSED_STRATEGY, message);
  }

  /**
   * Creates the exception.
   *
   * @param message one sentence that names the thing and the fix
   * @param cause what the lower layer said, or null
   */
  public StrategyException(String message, Throwable cause) {
    super(Kind.REFUSED_STRATEGY, message, cause);
  }
}
