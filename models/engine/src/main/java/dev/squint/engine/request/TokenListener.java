package dev.squint.engine.request;

/** Gets the tokens of an answer as they are chosen, on the thread that asked. */
@FunctionalInterface
public interface TokenListener {

  /**
   * Called for each token but the one that ends the answer.
   *
   * @param token its id
   * @return whether to go on; if not, the answer ends with this token and {@link
   *     FinishReason#STOP_STRING}
   */
  boolean onToken(long token);
}
