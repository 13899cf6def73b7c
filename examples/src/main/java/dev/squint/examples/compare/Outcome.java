package dev.squint.examples.compare;

import dev.squint.adapters.Answer;
import dev.squint.pruning.SiteTrace;
import dev.squint.pruning.Timings;
import dev.squint.pruning.Trace;
import java.util.List;

/**
 * What a cell made of a question.
 *
 * @param text the answer
 * @param promptTokens tokens of the unpruned prompt
 * @param visualTokens visual tokens that entered
 * @param keptTokens visual tokens behind the last site
 * @param tokensPerLayer tokens that ran through each decoder layer at prefill
 * @param visionFlops vision tower and projector
 * @param prefillFlops prefill
 * @param decodeFlops decoding
 * @param kvBytes KV cache at the end of the answer
 * @param timings where the time went
 */
record Outcome(
    String text,
    int promptTokens,
    int visualTokens,
    int keptTokens,
    int[] tokensPerLayer,
    long visionFlops,
    long prefillFlops,
    long decodeFlops,
    long kvBytes,
    Timings timings) {

  static Outcome of(Answer answer) {
    Trace trace = answer.trace();
    List<SiteTrace> sites = trace.sites();
    return new Outcome(
        answer.text(),
        trace.promptTokens(),
        trace.visualTokens(),
        sites.isEmpty() ? trace.visualTokens() : sites.get(sites.size() - 1).after(),
        trace.tokensPerLayer(),
        trace.visionFlops(),
        trace.prefillFlops(),
        trace.decodeFlops(),
        trace.kvBytes(),
        trace.timings());
  }
}
