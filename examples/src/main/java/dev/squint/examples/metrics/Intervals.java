package dev.squint.examples.metrics;

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
}
