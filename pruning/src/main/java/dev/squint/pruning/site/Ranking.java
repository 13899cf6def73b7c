package dev.squint.pruning.site;

import java.util.Arrays;

/** The order of all selections: the highest score first, among equals the lower index, NaN last. */
public final class Ranking {

  private Ranking() {}

  /**
   * A number that stands for a score in the ranking, so that it can be sorted without boxing.
   *
   * @param score the score
   * @param index which token it is of, 0 or more
   * @return the lower, the earlier it ranks; the lower 32 bits are the index
   */
  public static long key(float score, int index) {
    int order = Integer.MIN_VALUE;
    if (!Float.isNaN(score)) {
      int bits = Float.floatToRawIntBits(score + 0.0f); // -0.0 + 0.0 is 0.0: zeros are equal
      order = bits ^ ((bits >> 31) & Integer.MAX_VALUE);
    }
    return ((long) ~order << 32) | index;
  }

  /**
   * Ranks some scores.
   *
   * @param scores one per token
   * @return their indices, the highest score first
   */
  public static int[] descending(float[] scores) {
    long[] keys = new long[scores.length];
    for (int i = 0; i < keys.length; i++) {
      keys[i] = key(scores[i], i);
    }
    Arrays.sort(keys);
    int[] indices = new int[keys.length];
    for (int i = 0; i < keys.length; i++) {
      indices[i] = (int) keys[i];
    }
    return indices;
  }
}
