package dev.squint.pruning.cost;

import dev.squint.pruning.shape.DecoderShape;
import java.util.Arrays;
import java.util.function.DoubleFunction;
import java.util.function.DoubleUnaryOperator;

/**
 * One budget seen from three sides: visual tokens kept at sites, visual tokens averaged over the
 * decoder's layers, and FLOPs. Papers compare methods at equal averages; what really runs counts,
 * so a layer before a split has the tokens that run in it. (SparseVLM's code counts layers 2, 6 and
 * 15 as already pruned, which lowers its averages by 7 to 28 %.)
 *
 * @param decoder the decoder
 * @param visual visual tokens that enter it
 * @param text text tokens of the prompt
 */
public record TokenBudget(DecoderShape decoder, int visual, int text) {

  private static final int HALVINGS = 60;

  public TokenBudget {
    if (visual < 1 || text < 0) {
      throw new IllegalArgumentException(
          "a budget needs visual tokens and no negative text, not %d and %d"
              .formatted(visual, text));
    }
  }

  /**
   * Spreads sites over layers.
   *
   * @param splits the first layers that run pruned, ascending; 0 for a site before the decoder
   * @param kept visual tokens after each split
   * @return visual tokens that run in each layer
   */
  public double[] perLayer(int[] splits, double[] kept) {
    double[] tokens = new double[decoder.layers()];
    Arrays.fill(tokens, visual);
    for (int i = 0; i < splits.length; i++) {
      Arrays.fill(tokens, splits[i], tokens.length, kept[i]);
    }
    return tokens;
  }

  /**
   * The average over the layers.
   *
   * @param splits the first layers that run pruned, ascending; 0 for a site before the decoder
   * @param kept visual tokens after each split
   * @return visual tokens
   */
  public double average(int[] splits, double[] kept) {
    return Arrays.stream(perLayer(splits, kept)).average().orElseThrow();
  }

  /**
   * What is left of the prefill by a paper's formula.
   *
   * @param formula the formula
   * @param splits the first layers that run pruned, ascending; 0 for a site before the decoder
   * @param kept visual tokens after each split
   * @return a share of the unpruned prefill
   */
  public double flops(FlopsFormula formula, int[] splits, double[] kept) {
    double whole = formula.prefill(decoder, perLayer(new int[0], new double[0]), text);
    return formula.prefill(decoder, perLayer(splits, kept), text) / whole;
  }

  /**
   * What is left of the prefill by Squint's exact count.
   *
   * @param splits the first layers that run pruned, ascending; 0 for a site before the decoder
   * @param kept visual tokens after each split
   * @return a share of the unpruned prefill
   */
  public double flops(int[] splits, double[] kept) {
    int[] whole = new int[decoder.layers()];
    Arrays.fill(whole, visual + text);
    int[] pruned =
        Arrays.stream(perLayer(splits, kept)).mapToInt(n -> (int) Math.rint(n) + text).toArray();
    return (double) FlopsModel.prefill(decoder, pruned) / FlopsModel.prefill(decoder, whole);
  }

  /**
   * Finds the retention ratio at which a family of schedules has an average.
   *
   * @param splits the first layers that run pruned, ascending; 0 for a site before the decoder
   * @param keptBy visual tokens after each split for a retention ratio above 0 and at most 1; never
   *     fewer for a higher one
   * @param average visual tokens averaged over the layers
   * @return the ratio; the nearest one where the average cannot be reached
   */
  public double keepForAverage(int[] splits, DoubleFunction<double[]> keptBy, double average) {
    return bisect(keep -> average(splits, keptBy.apply(keep)), average);
  }

  /**
   * Finds the retention ratio at which a family of schedules leaves a share of the FLOPs, by
   * Squint's exact count.
   *
   * @param splits the first layers that run pruned, ascending; 0 for a site before the decoder
   * @param keptBy visual tokens after each split for a retention ratio above 0 and at most 1; never
   *     fewer for a higher one
   * @param share share of the unpruned prefill
   * @return the ratio; the nearest one where the share cannot be reached
   */
  public double keepForFlops(int[] splits, DoubleFunction<double[]> keptBy, double share) {
    return bisect(keep -> flops(splits, keptBy.apply(keep)), share);
  }

  private static double bisect(DoubleUnaryOperator measure, double wanted) {
    double from = 0;
    double to = 1;
    for (int i = 0; i < HALVINGS; i++) {
      double middle = (from + to) / 2;
      if (middle > 0 && measure.applyAsDouble(middle) < wanted) {
        from = middle;
      } else {
        to = middle;
      }
    }
    return to;
  }
}
