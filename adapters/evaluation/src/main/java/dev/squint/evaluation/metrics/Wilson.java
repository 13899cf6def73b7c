package dev.squint.evaluation.metrics;

/** Wilson's score interval of a share (Wilson, JASA 1927), with 95 % confidence. */
public final class Wilson {

  /** The 97.5 % quantile of the standard normal distribution. */
  private static final double Z = 1.959963984540054;

  private Wilson() {}

  /**
   * The interval.
   *
   * @param successes how many
   * @param total of how many; 0 gives the whole range
   * @return within 0 to 1
   */
  public static Interval of(double successes, int total) {
    return of(successes, total, 1);
  }

  /**
   * The interval with a part of the usual reach.
   *
   * @param shrink factor on the normal quantile
   */
  static Interval of(double successes, int total, double shrink) {
    if (total == 0) {
      return new Interval(0, 1);
    }
    double share = successes / total;
    double quantile = Z * shrink;
    double squared = quantile * quantile / total;
    double middle = share + squared / 2;
    double reach = quantile * Math.sqrt((share * (1 - share) + squared / 4) / total);
    return new Interval(
        successes == 0 ? 0 : Math.max(0, (middle - reach) / (1 + squared)),
        successes == total ? 1 : Math.min(1, (middle + reach) / (1 + squared)));
  }
}
