package dev.squint.pruning.strategies.math;

import dev.squint.pruning.site.Ranking;
import java.util.Arrays;

/**
 * The highest of a row of cosines, descending: among equals the lower index first, and none that is
 * not a number.
 *
 * <p>Values are counted in equal parts of -1..1 (others in the outermost), which says from which
 * part on there are enough; only what lies there is sorted. So it takes two passes over the row and
 * a sort of little more than what is wanted; values that crowd in one part cost time, no more.
 */
public final class HighestOfRow {

  private static final int PARTS = 1024;

  private final int wanted;
  private final int[] counts = new int[PARTS];
  private final long[] keys;

  /**
   * Sets room aside, to be used for row after row.
   *
   * @param wanted how many, at least one
   * @param length of the longest row
   */
  public HighestOfRow(int wanted, int length) {
    this.wanted = wanted;
    this.keys = new long[length];
  }

  /**
   * Finds them.
   *
   * @param row one value per token
   * @return indices, fewer than wanted if the row has fewer numbers
   */
  public int[] of(float[] row) {
    Arrays.fill(counts, 0);
    for (float value : row) {
      if (!Float.isNaN(value)) {
        counts[part(value)]++;
      }
    }
    int lowest = PARTS;
    for (int found = 0; found < wanted && lowest > 0; found += counts[lowest]) {
      lowest--;
    }
    int size = 0;
    for (int i = 0; i < row.length; i++) {
      if (!Float.isNaN(row[i]) && part(row[i]) >= lowest) {
        keys[size++] = Ranking.key(row[i], i);
      }
    }
    Arrays.sort(keys, 0, size);
    int[] highest = new int[Math.min(size, wanted)];
    for (int i = 0; i < highest.length; i++) {
      highest[i] = (int) keys[i];
    }
    return highest;
  }

  private static int part(float value) {
    return Math.max(0, Math.min(PARTS - 1, (int) ((value + 1) * (PARTS / 2))));
  }
}
