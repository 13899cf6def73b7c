package dev.squint.pruning.site;

import java.util.Arrays;

/**
 * Indices of the k highest scores in linear time.
 *
 * <p>No two keys of a {@link Ranking} are equal, so the k-th key alone tells who stays.
 */
public final class TopK {

  private TopK() {}

  /** Returns the indices of the {@code count} highest scores, ascending. */
  public static int[] indices(float[] scores, int count) {
    int n = scores.length;
    if (count < 0 || count > n) {
      throw new IllegalArgumentException("cannot keep " + count + " of " + n + " tokens");
    }
    int[] kept = new int[count];
    if (count == 0) {
      return kept;
    }
    long[] keys = new long[n];
    for (int i = 0; i < n; i++) {
      keys[i] = Ranking.key(scores[i], i);
    }
    long last = select(keys.clone(), count - 1);
    int next = 0;
    for (int i = 0; i < n; i++) {
      if (keys[i] <= last) {
        kept[next++] = i;
      }
    }
    return kept;
  }

  /**
   * Quickselect: the key of the given ascending rank. Reorders; sorts what is left once partitions
   * stop shrinking.
   */
  private static long select(long[] keys, int rank) {
    int low = 0;
    int high = keys.length - 1;
    int rounds = 4 * (32 - Integer.numberOfLeadingZeros(keys.length));
    while (low < high) {
      if (rounds-- == 0) {
        Arrays.sort(keys, low, high + 1);
        return keys[rank];
      }
      long pivot = median(keys[low], keys[(low + high) >>> 1], keys[high]);
      int i = low;
      int j = high;
      while (i <= j) {
        while (keys[i] < pivot) {
          i++;
        }
        while (keys[j] > pivot) {
          j--;
        }
        if (i <= j) {
          long swap = keys[i];
          keys[i++] = keys[j];
          keys[j--] = swap;
        }
      }
      if (rank <= j) {
        high = j;
      } else if (rank >= i) {
        low = i;
      } else {
        return keys[rank];
      }
    }
    return keys[rank];
  }

  private static long median(long a, long b, long c) {
    return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
  }
}
