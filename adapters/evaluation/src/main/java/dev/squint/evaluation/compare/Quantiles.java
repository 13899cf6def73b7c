package dev.squint.evaluation.compare;

/** Order statistics by the nearest rank. */
final class Quantiles {

  private static final double P95 = 0.95;

  private Quantiles() {}

  /** The middle of ascending values, the mean of both where their number is even. */
  static double median(double[] ascending) {
    int middle = ascending.length / 2;
    return ascending.length % 2 == 1
        ? ascending[middle]
        : (ascending[middle - 1] + ascending[middle]) / 2;
  }

  /** The least of ascending values that 19 of 20 do not exceed. */
  static double p95(double[] ascending) {
    return ascending[(int) Math.ceil(P95 * ascending.length) - 1];
  }
}
