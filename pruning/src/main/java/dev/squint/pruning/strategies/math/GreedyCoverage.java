package dev.squint.pruning.strategies.math;

import java.util.Arrays;
import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.stream.IntStream;

/**
 * Greedy maximum coverage: candidates cover targets, each to some extent; a set covers a target as
 * far as the best of its members does, at least 0.
 *
 * <p>What a candidate adds never grows while others are picked, so what it added when last looked
 * at bounds it from above: only the candidate with the highest bound is looked at again, and picked
 * if it keeps its place. The picks are those of looking at all each time.
 *
 * @param targets how many targets there are
 * @param extents to what extent a candidate covers each target
 */
public record GreedyCoverage(int targets, Extents extents) {

  /** Copies the extents of a candidate; called by several threads. */
  public interface Extents {
    void copy(int candidate, float[] into);
  }

  /**
   * Picks candidates.
   *
   * @param weights by what the gain of each candidate is multiplied
   * @param count how many are picked, at most all
   * @return their indices, ascending
   */
  public int[] pick(double[] weights, int count) {
    int candidates = weights.length;
    if (count >= candidates) {
      return IntStream.range(0, candidates).toArray();
    }
    float[] covered = new float[targets];
    double[] bounds = new double[candidates];
    ParallelRows.each(
        0,
        candidates,
        (from, to) -> {
          float[] extent = new float[targets];
          float[] twice = new float[targets];
          for (int i = from; i < to; i++) {
            extents.copy(i, extent);
            bounds[i] = weighted(weights[i], gain(extent, covered, twice));
          }
        });
    PriorityQueue<Integer> best =
        new PriorityQueue<>(
            Comparator.<Integer>comparingDouble(i -> -bounds[i]).thenComparingInt(i -> i));
    IntStream.range(0, candidates).forEach(best::add);
    int[] lookedAt = new int[candidates];
    int[] picks = new int[count];
    float[] extent = new float[targets];
    float[] twice = new float[targets];
    for (int size = 0; size < count; ) {
      int candidate = best.remove();
      extents.copy(candidate, extent);
      if (lookedAt[candidate] == size) {
        picks[size++] = candidate;
        raise(covered, extent);
      } else {
        bounds[candidate] = weighted(weights[candidate], gain(extent, covered, twice));
        lookedAt[candidate] = size;
        best.add(candidate);
      }
    }
    Arrays.sort(picks);
    return picks;
  }

  private static double weighted(double weight, double gain) {
    double value = weight * gain;
    return Double.isNaN(value) ? Double.NEGATIVE_INFINITY : value;
  }

  /** Two loops of which the first is vectorised; d + |d| is twice the excess, exactly. */
  private static double gain(float[] extent, float[] covered, float[] twice) {
    for (int i = 0; i < twice.length; i++) {
      float more = extent[i] - covered[i];
      twice[i] = more + Math.abs(more);
    }
    double even = 0;
    double odd = 0;
    int last = twice.length - 1;
    for (int i = 0; i < last; i += 2) {
      even += twice[i];
      odd += twice[i + 1];
    }
    double sum = even + odd + (twice.length % 2 == 0 ? 0 : twice[last]);
    return Double.isNaN(sum) ? gainOfNumbers(extent, covered) : sum / 2;
  }

  /** Where some are no numbers: those cover nothing. */
  private static double gainOfNumbers(float[] extent, float[] covered) {
    double sum = 0;
    for (int i = 0; i < extent.length; i++) {
      sum += extent[i] > covered[i] ? extent[i] - covered[i] : 0;
    }
    return sum;
  }

  private static void raise(float[] covered, float[] extent) {
    for (int i = 0; i < covered.length; i++) {
      if (extent[i] > covered[i]) {
        covered[i] = extent[i];
      }
    }
  }
}
