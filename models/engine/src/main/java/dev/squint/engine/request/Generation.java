package dev.squint.engine.request;

import dev.squint.pruning.trace.Trace;

/**
 * What a model answered.
 *
 * @param tokens the generated tokens without the one that ended generation
 * @param trace what was pruned, and what it cost
 * @param firstLogits scores of the first generated token over the vocabulary; empty unless asked
 *     for
 */
public record Generation(long[] tokens, Trace trace, float[] firstLogits) {

  /** Copies the arrays. */
  public Generation {
    tokens = tokens.clone();
    firstLogits = firstLogits.clone();
  }

  @Override
  public long[] tokens() {
    return tokens.clone();
  }

  @Override
  public float[] firstLogits() {
    return firstLogits.clone();
  }
}
