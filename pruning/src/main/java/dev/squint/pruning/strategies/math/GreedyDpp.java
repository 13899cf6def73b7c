package dev.squint.pruning.strategies.math;

import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.site.Ranking;
import java.util.Arrays;

/**
 * Greedy search for the subset of the largest determinant (Chen et al., "Fast Greedy MAP Inference
 * for Determinantal Point Process to Improve Recommendation Diversity", NeurIPS 2018): each pick
 * multiplies the determinant by its gain, and a row of the Cholesky factor per pick keeps all gains
 * up to date, in O(picks^2 * tokens).
 *
 * <p>The kernel of tokens i and j is {@code similarity(i, j) * (plain + scaled * quality(i) *
 * quality(j))}. The highest gain is picked, the lower index first among equals; a gain that is not
 * a number is never picked. A token whose gain has fallen to 2^-23 of its own kernel value,
 * whatever those of others are, is explained by the picks: what is left is the rounding of
 * similarities, which come in single precision. When no other token is left, these go by the
 * highest quality.
 *
 * <p>All arithmetic is in double precision, so the picks are those of the determinants. The same
 * search in single precision (the authors', OpenVINO's) picks the same while gains are well above
 * its rounding. Below that its order is that of the rounding and changes with the order of its
 * sums; and where it rounds a gain below zero, the authors' code goes on with roots that are not
 * numbers and picks tokens twice.
 *
 * <p>Gains never rise, so a gain that is out of date bounds the true one from above. Tokens are
 * kept in blocks, by descending kernel value, and a block is brought up to date only when its
 * highest gain is the highest of all: the picks are those of gains that are all up to date, but
 * blocks that hold nothing to pick are spared the work, and the factor of one block stays in the
 * cache.
 *
 * @param quality one per token
 * @param plain share of the similarity as it is
 * @param scaled share of the similarity scaled by the qualities
 * @param epsilon what is added to a pick's gain before its root is taken
 */
public record GreedyDpp(double[] quality, double plain, double scaled, double epsilon) {

  private static final double EXPLAINED = Math.ulp(1f);
  private static final int BLOCK = 64;

  /**
   * Picks tokens.
   *
   * @param similarity one row per token, of which the first stands in {@code row}; its columns from
   *     {@code column} on are the tokens
   * @param count how many to pick, at most the number of tokens
   * @return indices from 0, in the order of the picks; all ascending if there is nothing to choose
   */
  public int[] pick(Observation similarity, int row, int column, int count) {
    int tokens = quality.length;
    int[] picks = new int[count];
    if (count == tokens) {
      Arrays.setAll(picks, i -> i);
      return picks;
    }
    float[] values = new float[tokens];
    for (int i = 0; i < tokens; i++) {
      values[i] = (float) value(similarity.at(row + i, column + i), quality[i], quality[i]);
    }
    int[] order = Ranking.descending(values);
    Picks made = new Picks(picks, new double[count], new double[count][], new float[count][]);
    Block[] blocks = new Block[(tokens + BLOCK - 1) / BLOCK];
    for (int i = 0; i < blocks.length; i++) {
      int to = Math.min(tokens, (i + 1) * BLOCK);
      blocks[i] = new Block(Arrays.copyOfRange(order, i * BLOCK, to), i * BLOCK, count);
      blocks[i].start(similarity, row, column);
    }
    boolean[] picked = new boolean[tokens];
    for (int step = 0; step < count; step++) {
      Block block = highest(blocks, step);
      while (block.applied < step && block.best >= 0) {
        block.apply(made, step);
        block = highest(blocks, step);
      }
      if (block.best < 0) {
        fill(picks, step, picked);
        return picks;
      }
      int pick = block.tokens[block.best];
      picks[step] = pick;
      picked[pick] = true;
      made.inverseRoots[step] = 1 / Math.sqrt(block.highest + epsilon);
      made.columns[step] = block.column(block.best, step);
      made.similarities[step] = reordered(similarity, row + pick, column, order, values);
      block.take();
    }
    return picks;
  }

  private double value(float similarity, double quality, double other) {
    return similarity * (plain + scaled * quality * other);
  }

  private static float[] reordered(
      Observation similarity, int row, int column, int[] order, float[] buffer) {
    similarity.copyRow(row, column, order.length, buffer);
    float[] reordered = new float[order.length];
    for (int i = 0; i < order.length; i++) {
      reordered[i] = buffer[order[i]];
    }
    return reordered;
  }

  /**
   * The block with the highest gain; among equals one that is out of date, then the lowest token.
   */
  private static Block highest(Block[] blocks, int step) {
    Block highest = blocks[0];
    for (Block block : blocks) {
      if (block.isAheadOf(highest, step)) {
        highest = block;
      }
    }
    return highest;
  }

  private void fill(int[] picks, int from, boolean[] picked) {
    for (int step = from; step < picks.length; step++) {
      int index = -1;
      double highest = Double.NEGATIVE_INFINITY;
      for (int i = 0; i < quality.length; i++) {
        if (!picked[i] && (index < 0 || quality[i] > highest)) {
          index = i;
          highest = Double.isNaN(quality[i]) ? Double.NEGATIVE_INFINITY : quality[i];
        }
      }
      picks[step] = index;
      picked[index] = true;
    }
  }

  /**
   * What has been picked.
   *
   * @param tokens in the order of the picks
   * @param inverseRoots one over the root of the gain of each
   * @param columns for each its column of the factor, as long as there are picks before it
   * @param similarities for each those to all tokens, in the order of the blocks
   */
  private record Picks(
      int[] tokens, double[] inverseRoots, double[][] columns, float[][] similarities) {}

  /** Some tokens, and their part of the factor as far as picks have been applied. */
  private final class Block {

    private final int[] tokens;
    private final int from;
    private final double[] qualities = new double[BLOCK];
    private final double[] gains = new double[BLOCK];
    private final double[] least = new double[BLOCK];
    private final double[][] factor;
    private int applied;
    private int best;
    private double highest;

    private Block(int[] tokens, int from, int picks) {
      this.tokens = tokens;
      this.from = from;
      this.factor = new double[picks][];
    }

    private void start(Observation similarity, int row, int column) {
      for (int i = 0; i < tokens.length; i++) {
        int token = tokens[i];
        qualities[i] = quality[token];
        gains[i] = value(similarity.at(row + token, column + token), qualities[i], qualities[i]);
        least[i] = EXPLAINED * gains[i];
      }
      find();
    }

    private boolean isAheadOf(Block other, int step) {
      if (best < 0 || other.best < 0) {
        return best >= 0;
      }
      if (highest != other.highest) {
        return highest > other.highest;
      }
      boolean outOfDate = applied < step;
      return outOfDate == other.applied < step
          ? tokens[best] < other.tokens[other.best]
          : outOfDate;
    }

    private double[] column(int place, int length) {
      double[] column = new double[length];
      for (int i = 0; i < length; i++) {
        column[i] = factor[i][place];
      }
      return column;
    }

    /** Takes the best token out. */
    private void take() {
      gains[best] = Double.NaN;
      find();
    }

    private void find() {
      best = -1;
      highest = 0;
      for (int i = 0; i < tokens.length; i++) {
        boolean first = best < 0 || tokens[i] < tokens[best];
        if (gains[i] > least[i] && (gains[i] > highest || gains[i] == highest && first)) {
          best = i;
          highest = gains[i];
        }
      }
    }

    /** Brings the gains up to date. */
    private void apply(Picks picks, int until) {
      for (; applied < until; applied++) {
        double scale = scaled * quality[picks.tokens[applied]];
        double[] next = new double[BLOCK];
        float[] similarities = picks.similarities[applied];
        for (int i = 0; i < tokens.length; i++) {
          next[i] = similarities[from + i] * (plain + scale * qualities[i]);
        }
        double[] weights = picks.columns[applied];
        int i = 0;
        for (; i + 4 <= applied; i += 4) {
          subtract(next, factor, weights, i);
        }
        for (; i < applied; i++) {
          subtract(next, factor[i], weights[i]);
        }
        lower(gains, next, picks.inverseRoots[applied]);
        factor[applied] = next;
      }
      find();
    }
  }

  /** Takes off what four rows of the factor explain. */
  private static void subtract(double[] next, double[][] factor, double[] weights, int row) {
    double first = weights[row];
    double second = weights[row + 1];
    double third = weights[row + 2];
    double fourth = weights[row + 3];
    double[] one = factor[row];
    double[] two = factor[row + 1];
    double[] three = factor[row + 2];
    double[] four = factor[row + 3];
    for (int i = 0; i < BLOCK; i++) {
      next[i] -= (first * one[i] + second * two[i]) + (third * three[i] + fourth * four[i]);
    }
  }

  private static void subtract(double[] next, double[] row, double weight) {
    for (int i = 0; i < BLOCK; i++) {
      next[i] -= weight * row[i];
    }
  }

  private static void lower(double[] gains, double[] next, double scale) {
    for (int i = 0; i < BLOCK; i++) {
      next[i] *= scale;
      gains[i] -= next[i] * next[i];
    }
  }
}
