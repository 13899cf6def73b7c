package dev.squint.pruning.strategies;

import java.util.Arrays;

/** Falling scores: among equals the lower index first, NaN last. */
final class Ranking {

  private Ranking() {}

  /** A number whose natural order is the ranking; its lower half is the index. */
  static long key(float score, int index) {
    int order = Integer.MIN_VALUE;
    if (!Float.isNaN(score)) {
      int bits = Float.floatToRawIntBits(score + 0.0f); // -0.0 + 0.0 is 0.0: zeros are equal
      order = bits ^ ((bits >> 31) & Integer.MAX_VALUE);
    }
    return ((long) ~order << 32) | index;
  }

  /** The indices of some scores, the highest first. */
  static int[] falling(float[] scores) {
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
