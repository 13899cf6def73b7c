package dev.squint.engine.request;

import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;

/**
 * How an answer is generated.
 *
 * @param maxNewTokens where generation stops if the model does not stop by itself
 * @param seed for strategies that draw at random
 * @param measureSpeedup whether the unpruned model is run too, in turns with the pruned one, to
 *     compare times
 * @param keepFirstLogits whether the scores of the first generated token are returned
 */
public record GenerationOptions(
    int maxNewTokens, long seed, boolean measureSpeedup, boolean keepFirstLogits) {

  /** Checks the values. */
  public GenerationOptions {
    if (maxNewTokens < 1) {
      throw new ModelException(
          Kind.BAD_REQUEST, "maxNewTokens must be 1 or more, got " + maxNewTokens);
    }
  }

  /** Up to 64 tokens, seed 0, nothing measured. */
  public static GenerationOptions defaults() {
    return new GenerationOptions(64, 0, false, false);
  }
}
