package dev.squint.examples.metrics;

import java.util.Optional;

/** Chooses the interval that fits the scores. */
public final class Intervals {

  private Intervals() {}

  /**
   * The interval of a mean score: Wilson's where every score is 0 or 1, else a bootstrap.
   *
   * @param scores one per question
   * @param seed of the bootstrap
   * @return the interval
   */
  public static Interval ofMean(float[] scores, long seed) {
    double sum = 0;
    for (float score : scores) {
      if (score != 0 && score != 1) {
        return Bootstrap.ofMean(scores, seed);
      }
      sum += score;
    }
    return Wilson.of(sum, scores.length);
  }

  /**
   * The interval of the mean of one setting minus that of another on the same questions: Newcombe's
   * where every score is 0 or 1, else a bootstrap of the questions.
   *
   * @param first one per question
   * @param second one per question
   * @param seed of the bootstrap
   * @return the interval
   */
  public static Interval ofDifference(float[] first, float[] second, long seed) {
    return PairedCounts.of(first, second)
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
   * Price's where every score is 0 or 1, else a bootstrap of the questions.
   *
   * @param first one per question
   * @param second one per question
   * @param seed of the bootstrap
   * @return the interval; nothing where the second scores 0, or does in so many resamples that the
   *     ratio has no upper end
   */
  public static Optional<Interval> ofRatio(float[] first, float[] second, long seed) {
    Optional<PairedCounts> counts = PairedCounts.of(first, second);
    if (counts.isPresent()) {
      return counts.get().ratio();
    }
    Interval interval =
        Bootstrap.of(first.length, seed, drawn -> sum(first, drawn) / sum(second, drawn));
    return Double.isFinite(interval.low()) && Double.isFinite(interval.high())
        ? Optional.of(interval)
        : Optional.empty();
  }

  private static double sum(float[] scores, int[] drawn) {
    double sum = 0;
    for (int place : drawn) {
      sum += scores[place];
    }
    return sum;
  }
}
