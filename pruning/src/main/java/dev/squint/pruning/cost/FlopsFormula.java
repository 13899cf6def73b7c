package dev.squint.pruning.cost;

import dev.squint.pruning.shape.DecoderShape;
import dev.squint.pruning.trace.Trace;
import java.util.Arrays;

/**
 * What papers print as FLOPs: per decoder layer {@code unit * (4 n d^2 + 2 n^2 d + c n d m)}, n
 * tokens, d the width, m that of the feed-forward; queries, keys, values and output, the two
 * products of attention, and c matrices of the feed-forward. Grouped keys, the output matrix and
 * the vision tower are left out. Ratios are what such figures are good for; {@link FlopsModel} is
 * Squint's exact count.
 */
public enum FlopsFormula {
  /**
   * FastV (Chen et al., ECCV 2024), also DivPrune and VisionZip: two matrices in the feed-forward,
   * though LLaMA has three; the whole prompt; a multiply-add counts as one.
   */
  FASTV(2, 1, true),
  /** SparseVLM (Zhang et al., ICML 2025), its code: three matrices, the whole prompt. */
  SPARSEVLM(3, 1, true),
  /** PyramidDrop (Xing et al., CVPR 2025), also VScan: three matrices, visual tokens alone. */
  PYRAMIDDROP(3, 1, false),
  /** FasterVLM (Zhang et al., 2024): three matrices, visual tokens alone, a multiply-add as two. */
  FASTERVLM(3, 2, false);

  private final int matrices;
  private final int unit;
  private final boolean countsText;

  FlopsFormula(int matrices, int unit, boolean countsText) {
    this.matrices = matrices;
    this.unit = unit;
    this.countsText = countsText;
  }

  /**
   * Whether text tokens are counted.
   *
   * @return false if n is the number of visual tokens alone
   */
  public boolean countsText() {
    return countsText;
  }

  /**
   * Counts one layer.
   *
   * @param decoder the decoder
   * @param tokens n
   * @return FLOPs as the paper counts them
   */
  public double layer(DecoderShape decoder, double tokens) {
    double width = decoder.hidden();
    return unit
        * (4 * tokens * width * width
            + 2 * tokens * tokens * width
            + matrices * tokens * width * decoder.intermediate());
  }

  /**
   * Counts a prefill.
   *
   * @param decoder the decoder
   * @param visualPerLayer visual tokens that run in each layer
   * @param text text tokens, ignored by formulas that do not count them
   * @return FLOPs as the paper counts them
   */
  public double prefill(DecoderShape decoder, double[] visualPerLayer, int text) {
    if (visualPerLayer.length != decoder.layers()) {
      throw new IllegalArgumentException(
          "a decoder of %d layers needs as many counts, not %d"
              .formatted(decoder.layers(), visualPerLayer.length));
    }
    double sum = 0;
    for (double visual : visualPerLayer) {
      sum += layer(decoder, visual + (countsText ? text : 0));
    }
    return sum;
  }

  /**
   * What a run left of the prefill, as the paper would print it.
   *
   * @param decoder the decoder that ran
   * @param trace what ran
   * @return a share of the unpruned prefill; 1 where nothing is counted
   */
  public double left(DecoderShape decoder, Trace trace) {
    int text = trace.promptTokens() - trace.visualTokens();
    double[] whole = new double[decoder.layers()];
    Arrays.fill(whole, trace.visualTokens());
    double all = prefill(decoder, whole, text);
    return all == 0 ? 1 : prefill(decoder, trace.visualPerLayer(), text) / all;
  }
}
