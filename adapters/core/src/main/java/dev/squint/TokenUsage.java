package dev.squint;

import dev.squint.pruning.trace.SiteTrace;
import dev.squint.pruning.trace.Trace;
import java.util.List;

/**
 * How many tokens a request took.
 *
 * @param text tokens of the prompt that are text, those of the template among them
 * @param visual tokens that its images became
 * @param visualKept how many of these were left after the last site, merged ones counted once
 * @param generated tokens of the answer, the one that ended it not counted
 */
public record TokenUsage(int text, int visual, int visualKept, int generated) {

  static TokenUsage of(Trace trace) {
    List<SiteTrace> sites = trace.sites();
    int kept = sites.isEmpty() ? trace.visualTokens() : sites.get(sites.size() - 1).after();
    return new TokenUsage(
        trace.promptTokens() - trace.visualTokens(),
        trace.visualTokens(),
        kept,
        trace.timings().generatedTokens());
  }

  /** Tokens of the prompt, unpruned. */
  public int prompt() {
    return text + visual;
  }

  /** Tokens of prompt and answer. */
  public int total() {
    return prompt() + generated;
  }
}
