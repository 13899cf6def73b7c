package dev.squint.evaluation.metrics;

import java.util.List;
import java.util.Set;

/**
 * POPE (Li et al., EMNLP 2023): yes or no as its scorer finds it, in the first sentence: no where a
 * word is "no" or "not", else yes. A model that rambles is so still read; lmms-eval compares the
 * whole answer instead and scores it 0.
 */
record YesNo() implements Metric {

  static final String YES = "yes";
  static final String NO = "no";
  private static final Set<String> NEGATIVE = Set.of("No", "no", "not");

  @Override
  public String name() {
    return "pope_accuracy";
  }

  @Override
  public String filter(String answer, List<String> choices) {
    String sentence = answer.split("\\.", 2)[0].replace(",", "");
    for (String word : sentence.strip().split(" ")) {
      if (NEGATIVE.contains(word)) {
        return NO;
      }
    }
    return YES;
  }

  @Override
  public double score(String answer, List<String> targets, List<String> choices) {
    return filter(answer, choices).equalsIgnoreCase(targets.get(0).strip()) ? 1 : 0;
  }
}
