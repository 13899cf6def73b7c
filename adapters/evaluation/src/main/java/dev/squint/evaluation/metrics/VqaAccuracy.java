package dev.squint.evaluation.metrics;

import java.util.HashSet;
import java.util.List;

/**
 * VQA's soft accuracy (Antol et al., ICCV 2015): an answer that three of ten annotators gave is
 * right, one that fewer gave in part; averaged over leaving each annotator out. As in the official
 * scorer, answers are normalised only where annotators disagree. With fewer than four annotators
 * all of the others count as enough, and a single one's answer is right or wrong.
 *
 * <p>lmms-eval prints it under the name {@code exact_match}.
 */
record VqaAccuracy() implements Metric {

  private static final int ENOUGH = 3;

  @Override
  public String name() {
    return "vqa_accuracy";
  }

  @Override
  public String filter(String answer, List<String> choices) {
    return AnswerNormaliser.normalise(answer);
  }

  @Override
  public double score(String answer, List<String> targets, List<String> choices) {
    List<String> given = targets.stream().map(AnswerNormaliser::bare).toList();
    String said = AnswerNormaliser.bare(answer);
    if (new HashSet<>(given).size() > 1) {
      given = given.stream().map(AnswerNormaliser::normalise).toList();
      said = AnswerNormaliser.normalise(answer);
    }
    int matches = 0;
    for (String target : given) {
      matches += target.equals(said) ? 1 : 0;
    }
    int annotators = given.size();
    if (annotators == 1) {
      return matches;
    }
    double enough = Math.min(ENOUGH, annotators - 1);
    double withoutMatch = matches * Math.min(1, (matches - 1) / enough);
    double withoutOther = (annotators - matches) * Math.min(1, matches / enough);
    return (withoutMatch + withoutOther) / annotators;
  }
}
