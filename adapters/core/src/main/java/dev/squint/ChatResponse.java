package dev.squint;

import dev.squint.engine.request.FinishReason;
import dev.squint.pruning.trace.Trace;
import java.util.Objects;

/**
 * What the model said, why it stopped, and what that took.
 *
 * @param text the answer, without special tokens, stop strings and spaces around it
 * @param finish why it ended; with {@link FinishReason#CANCELLED} and {@link FinishReason#DEADLINE}
 *     the text is what there was by then
 * @param usage how many tokens it took
 * @param trace what was pruned and saved, and where the time went
 */
public record ChatResponse(String text, FinishReason finish, TokenUsage usage, Trace trace) {

  /** Checks that all is there. */
  public ChatResponse {
    Objects.requireNonNull(text, "text");
    Objects.requireNonNull(finish, "finish");
    Objects.requireNonNull(usage, "usage");
    Objects.requireNonNull(trace, "trace");
  }

  /** The same without the token usage, which the trace has too. */
  public Answer answer() {
    return new Answer(text, finish, trace);
  }
}
