package dev.squint;

import dev.squint.pruning.trace.Trace;
import java.util.Objects;

/**
 * What the model said, and what that took.
 *
 * @param text the answer, without special tokens
 * @param trace what was pruned and saved
 */
public record Answer(String text, Trace trace) {

  /** Checks that both are there. */
  public Answer {
    Objects.requireNonNull(text, "text");
    Objects.requireNonNull(trace, "trace");
  }
}
