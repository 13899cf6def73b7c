package dev.squint.engine.request;

import dev.squint.pruning.trace.Trace;
import java.util.Objects;

/**
 * What a model answered.
 *
 * @param tokens the generated tokens without the one that ended generation
 * @param finish why it ended
 * @param trace what was pruned, and what it cost
 * @param firstLogits scores of the first generated token over the vocabulary; empty unless asked
 *     for
 */
public record Generation(long[] tokens, FinishReason finish, Trace trace, float[] firstLogits) {

  /** Copies the arrays. */
  public Generation {
    tokens = tokens.clone();
    Objects.requireNonNull(finish, "finish");
    Objects.requireNonNull(trace, "trace");
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
