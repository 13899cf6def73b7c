package dev.squint.pruning.strategies.math;

import java.util.Arrays;

/**
 * The elbow of some scores: sorted descending, the one farthest from the line through the first and
 * the last; the first of equals.
 */
public final class Elbow {

  private Elbow() {}

  /**
   * Finds its score.
   *
   * @param scores at least one; NaN counts as 0
   * @return one of the scores
   */
  public static float of(float[] scores) {
    float[] sorted = scores.clone();
    for (int i = 0; i < sorted.length; i++) {
      sorted[i] = Float.isNaN(sorted[i]) ? 0 : sorted[i];
    }
    Arrays.sort(sorted);
    int last = sorted.length - 1;
    double first = sorted[last];
    double fall = (double) sorted[0] - first;
    float elbow = sorted[last];
    double farthest = 0;
    for (int i = 0; i <= last; i++) {
      float score = sorted[last - i];
      double distance = Math.abs((score - first) * last - fall * i);
      if (distance > farthest) {
        farthest = distance;
        elbow = score;
      }
    }
    return elbow;
  }
}
