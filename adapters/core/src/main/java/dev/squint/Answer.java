package dev.squint;

import dev.squint.engine.request.FinishReason;
import dev.squint.pruning.trace.Trace;
import java.util.Objects;

/**
 * What the model said, and what that took.
 *
 * @param text the answer, without special tokens
 * @param finish why it ended; an answer of the greatest length may lack its end
 * @param trace what was pruned and saved
 */
public record Answer(String text, FinishReason finish, Trace trace) {

  /** Checks that all are there. */
  public Answer {
    Objects.requireNonNull(text, "text");
    Objects.requireNonNull(finish, "finish");
    Objects.requireNonNull(trace, "trace");
  }
}
