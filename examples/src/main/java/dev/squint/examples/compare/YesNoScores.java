package dev.squint.examples.compare;

import dev.squint.examples.metrics.Bootstrap;
import dev.squint.examples.metrics.Interval;
import dev.squint.examples.metrics.Wilson;
import dev.squint.examples.metrics.YesNoCounts;
import dev.squint.examples.report.Summary;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * POPE's figures beside the accuracy: precision, recall, F1 and the share of answers that are yes.
 *
 * @param entries answers to the common questions
 * @param seed seed of the bootstrap
 */
record YesNoScores(List<Entry> entries, long seed) {

  private static final String YES = "yes";

  Map<String, Summary.Score> scores() {
    YesNoCounts counts = YesNoCounts.none();
    for (Entry entry : entries) {
      counts = with(counts, entry);
    }
    int yes = counts.yesRight() + counts.yesWrong();
    int there = counts.yesRight() + counts.noWrong();
    Map<String, Summary.Score> scores = new LinkedHashMap<>();
    scores.put("pope_precision", score(counts.precision(), counts.yesRight(), yes));
    scores.put("pope_recall", score(counts.recall(), counts.yesRight(), there));
    Interval f1 =
        Bootstrap.of(
            entries.size(),
            seed,
            drawn -> {
              YesNoCounts sample = YesNoCounts.none();
              for (int place : drawn) {
                sample = with(sample, entries.get(place));
              }
              return sample.f1();
            });
    scores.put(
        "pope_f1",
        new Summary.Score(counts.f1(), counts.yesRight(), entries.size(), f1.low(), f1.high()));
    scores.put("pope_yes_ratio", score(counts.yesRatio(), yes, entries.size()));
    return scores;
  }

  private static YesNoCounts with(YesNoCounts counts, Entry entry) {
    return counts.with(entry.answer().equals(YES), entry.scores()[0] == 1);
  }

  private static Summary.Score score(double value, int part, int whole) {
    Interval interval = Wilson.of(part, whole);
    return new Summary.Score(value, part, whole, interval.low(), interval.high());
  }
}
