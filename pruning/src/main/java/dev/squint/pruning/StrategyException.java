package dev.squint.pruning;

/**
 * A strategy that cannot be read, or cannot act on the model at hand; the message says what to
 * change.
 */
public class StrategyException extends IllegalArgumentException {

  private static final long serialVersionUID = 1L;

  /**
   * Creates the exception.
   *
   * @param message one sentence that names the thing and the mend
   */
  public StrategyException(String message) {
    super(message);
  }
}
