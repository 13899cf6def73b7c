package dev.squint.evaluation.metrics;

import java.util.List;

/**
 * An answer is right if it equals a target after the normalisation of VQA's evaluation.
 *
 * <p>lmms-eval's name for it is {@code exact_match}.
 */
record ExactMatch() implements Metric {

  @Override
  public String name() {
    return "exact_match";
  }

  @Override
  public String filter(String answer, List<String> choices) {
    return AnswerNormaliser.normalise(answer);
  }

  @Override
  public double score(String answer, List<String> targets, List<String> choices) {
    String said = filter(answer, choices);
    return targets.stream().anyMatch(target -> said.equals(filter(target, choices))) ? 1 : 0;
  }
}
