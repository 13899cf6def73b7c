package dev.squint.evaluation.metrics;

import java.util.Optional;

/**
 * Chooses the interval that fits the scores.
 *
 * @param ofAnswers whether scores of 0 and 1 are wrong and right answers; for captions they are not
 * @param seed of the bootstrap
 */
public record Intervals(boolean ofAnswers, long seed) {

  /**
   * The interval of a mean score: Wilson's where every answer is right or wrong, else a bootstrap.
   *
   * @param scores one per question
   * @return the interval
   */
  public Interval ofMean(double[] scores) {
    double sum = 0;
    for (double score : scores) {
      if (!ofAnswers || (score != 0 && score != 1)) {
        return Bootstrap.ofMean(scores, seed);
      }
      sum += score;
    }
    return Wilson.of(sum, scores.length);
  }

  /**
   * The interval of the mean of one setting minus that of another on the same questions: Newcombe's
   * where every answer is right or wrong, else a bootstrap of the questions.
   *
   * @param first one per question
   * @param second one per question
   * @return the interval
   */
  public Interval ofDifference(double[] first, double[] second) {
    return counts(first, second)
        .map(PairedCounts::difference)
        .orElseGet(
            () ->
                Bootstrap.of(
                    first.length,
                    seed,
                    drawn -> (sum(first, drawn) - sum(second, drawn)) / drawn.length));
  }

  /**
   * The interval of the mean of one setting over that of another on the same questions: Bonett and
   * Price's where every answer is right or wrong, else a bootstrap of the questions.
   *
   * @param first one per question
   * @param second one per question
   * @return the interval; nothing where the second scores 0, or does in so many resamples that the
   *     ratio has no upper end
   */
  public Optional<Interval> ofRatio(double[] first, double[] second) {
    Optional<PairedCounts> counts = counts(first, second);
    if (counts.isPresent()) {
      return counts.get().ratio();
    }
    Interval interval =
        Bootstrap.of(first.length, seed, drawn -> sum(first, drawn) / sum(second, drawn));
    return Double.isFinite(interval.low()) && Double.isFinite(interval.high())
        ? Optional.of(interval)
        : Optional.empty();
  }

  private Optional<PairedCounts> counts(double[] first, double[] second) {
    return ofAnswers ? PairedCounts.of(first, second) : Optional.empty();
  }

  private static double sum(double[] scores, int[] drawn) {
    double sum = 0;
    for (int place : drawn) {
      sum += scores[place];
    }
    return sum;
  }
}
