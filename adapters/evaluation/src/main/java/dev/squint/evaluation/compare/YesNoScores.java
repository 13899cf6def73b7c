package dev.squint.evaluation.compare;

import dev.squint.evaluation.metrics.Bootstrap;
import dev.squint.evaluation.metrics.Interval;
import dev.squint.evaluation.metrics.Wilson;
import dev.squint.evaluation.metrics.YesNoCounts;
import dev.squint.evaluation.report.Summary;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * POPE's figures next to the accuracy: precision, recall, F1 and the share of answers that are yes.
 *
 * @param answers answers to the common questions
 * @param seed seed of the bootstrap
 */
record YesNoScores(List<ScoredAnswer> answers, long seed) {

  private static final String YES = "yes";

  Map<String, Summary.Score> scores() {
    YesNoCounts counts = YesNoCounts.none();
    for (ScoredAnswer answer : answers) {
      counts = with(counts, answer);
    }
    int yes = counts.yesRight() + counts.yesWrong();
    int there = counts.yesRight() + counts.noWrong();
    Map<String, Summary.Score> scores = new LinkedHashMap<>();
    scores.put("pope_precision", score(counts.precision(), counts.yesRight(), yes));
    scores.put("pope_recall", score(counts.recall(), counts.yesRight(), there));
    Interval f1 =
        Bootstrap.of(
            answers.size(),
            seed,
            drawn -> {
              YesNoCounts sample = YesNoCounts.none();
              for (int place : drawn) {
                sample = with(sample, answers.get(place));
              }
              return sample.f1();
            });
    scores.put(
        "pope_f1",
        new Summary.Score(counts.f1(), counts.yesRight(), answers.size(), f1.low(), f1.high()));
    scores.put("pope_yes_ratio", score(counts.yesRatio(), yes, answers.size()));
    return scores;
  }

  private static YesNoCounts with(YesNoCounts counts, ScoredAnswer answer) {
    return counts.with(answer.answer().equals(YES), answer.score() == 1);
  }

  private static Summary.Score score(double value, int part, int whole) {
    Interval interval = Wilson.of(part, whole);
    return new Summary.Score(value, part, whole, interval.low(), interval.high());
  }
}
