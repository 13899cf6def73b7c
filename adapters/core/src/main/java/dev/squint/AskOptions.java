package dev.squint;

import dev.squint.family.PromptException;

/**
 * How one request is answered.
 *
 * @param maxNewTokens the answer ends after this many tokens at the latest
 * @param seed what strategies that draw at random start from
 * @param measureSpeedup whether the request is also run unpruned, so that the trace holds the
 *     measured speedup; this costs several runs
 */
public record AskOptions(int maxNewTokens, long seed, boolean measureSpeedup) {

  private static final int LONGEST_CAPTION = 96;

  /** Checks the length. */
  public AskOptions {
    if (maxNewTokens < 1) {
      throw new PromptException(
          "max new tokens is " + maxNewTokens + "; allow at least one token for the answer");
    }
  }

  /** At most 96 tokens, seed 0, nothing measured twice. */
  public static AskOptions defaults() {
    return new AskOptions(LONGEST_CAPTION, 0, false);
  }

  /** The same options with another limit. */
  public AskOptions withMaxNewTokens(int limit) {
    return new AskOptions(limit, seed, measureSpeedup);
  }

  /** The same options with another seed. */
  public AskOptions withSeed(long other) {
    return new AskOptions(maxNewTokens, other, measureSpeedup);
  }

  /** The same options with or without the measured comparison. */
  public AskOptions withMeasureSpeedup(boolean measure) {
    return new AskOptions(maxNewTokens, seed, measure);
  }
}
