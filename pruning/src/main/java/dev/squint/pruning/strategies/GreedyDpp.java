package dev.squint.pruning.strategies;

import dev.squint.pruning.Observation;
import java.util.Arrays;

/**
 * Greedy search for the subset of the largest determinant (Chen et al., "Fast Greedy MAP Inference
 * for Determinantal Point Process to Improve Recommendation Diversity", NeurIPS 2018): each pick
 * multiplies the determinant by its gain, and a row of the Cholesky factor per pick keeps all gains
 * up to date, in O(picks^2 * tokens).
 *
 * <p>The kernel of tokens i and j is {@code similarity(i, j) * (plain + scaled * quality(i) *
 * quality(j))}. The highest gain is picked, the lower index first among equals; a gain that is not
 * a number is the lowest. Once no gain is above 1e-6 of the first pick's, what is left of the picks
 * repeats what is picked already up to rounding: those go to the highest qualities.
 *
 * @param quality one per token
 * @param plain share of the similarity as it is
 * @param scaled share of the similarity scaled by the qualities
 * @param epsilon what is added to a pick's gain before its root is taken
 */
record GreedyDpp(float[] quality, float plain, float scaled, float epsilon) {

  private static final float EXHAUSTED = 1e-6f;

  /**
   * Picks tokens.
   *
   * @param similarity one row per token, of which the first stands in {@code row}; its columns from
   *     {@code column} on are the tokens
   * @param count how many to pick, at most the number of tokens
   * @return indices from 0, in the order of the picks; all ascending if there is nothing to choose
   */
  int[] pick(Observation similarity, int row, int column, int count) {
    int tokens = quality.length;
    int[] picks = new int[count];
    if (count == tokens) {
      Arrays.setAll(picks, i -> i);
      return picks;
    }
    float[] gains = new float[tokens];
    for (int i = 0; i < tokens; i++) {
      gains[i] = similarity.at(row + i, column + i) * (plain + scaled * quality[i] * quality[i]);
    }
    float[][] factor = new float[count][];
    boolean[] picked = new boolean[tokens];
    float least = 0;
    for (int step = 0; step < count; step++) {
      int pick = highest(gains, picked);
      if (step == 0) {
        least = EXHAUSTED * gains[pick];
      }
      if (!(gains[pick] > least)) {
        fill(picks, step, picked);
        return picks;
      }
      picks[step] = pick;
      picked[pick] = true;
      float[] next = new float[tokens];
      similarity.copyRow(row + pick, column, tokens, next);
      scale(next, quality, plain, scaled * quality[pick]);
      project(next, factor, step, pick);
      lower(gains, next, 1 / (float) Math.sqrt(gains[pick] + epsilon));
      factor[step] = next;
    }
    return picks;
  }

  private void fill(int[] picks, int from, boolean[] picked) {
    for (int step = from; step < picks.length; step++) {
      picks[step] = highest(quality, picked);
      picked[picks[step]] = true;
    }
  }

  private static int highest(float[] values, boolean[] picked) {
    int index = -1;
    float highest = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < values.length; i++) {
      if (!picked[i] && (index < 0 || values[i] > highest)) {
        index = i;
        highest = Float.isNaN(values[i]) ? Float.NEGATIVE_INFINITY : values[i];
      }
    }
    return index;
  }

  private static void scale(float[] values, float[] quality, float plain, float scaled) {
    for (int i = 0; i < values.length; i++) {
      values[i] *= plain + scaled * quality[i];
    }
  }

  /** Takes off what the rows so far explain, four rows in each pass over the tokens. */
  private static void project(float[] next, float[][] factor, int rows, int pick) {
    int row = 0;
    for (; row + 4 <= rows; row += 4) {
      subtract(next, factor[row], factor[row + 1], factor[row + 2], factor[row + 3], pick);
    }
    for (; row < rows; row++) {
      subtract(next, factor[row], factor[row][pick]);
    }
  }

  private static void subtract(
      float[] next, float[] one, float[] two, float[] three, float[] four, int pick) {
    float first = one[pick];
    float second = two[pick];
    float third = three[pick];
    float fourth = four[pick];
    for (int i = 0; i < next.length; i++) {
      next[i] -= (first * one[i] + second * two[i]) + (third * three[i] + fourth * four[i]);
    }
  }

  private static void subtract(float[] next, float[] row, float weight) {
    for (int i = 0; i < next.length; i++) {
      next[i] -= weight * row[i];
    }
  }

  private static void lower(float[] gains, float[] next, float scale) {
    for (int i = 0; i < gains.length; i++) {
      next[i] *= scale;
      gains[i] -= next[i] * next[i];
    }
  }
}
