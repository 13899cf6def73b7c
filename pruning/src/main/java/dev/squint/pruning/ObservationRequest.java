package dev.squint.pruning;

import java.util.Objects;

/** A small array that the network hands out because a strategy asked for it. */
public sealed interface ObservationRequest {

  /**
   * Attention of the vision tower's [CLS] token to the patches: 1 row, one column per visual token
   * in row-major patch order, heads averaged. Probabilities are those after the softmax over all
   * keys ([CLS] included); the patch columns are cut out and not renormalised.
   *
   * @param layer vision layer, counted from 0
   */
  record ClsAttention(int layer) implements ObservationRequest {

    public ClsAttention {
      requireLayer(layer);
    }

    @Override
    public String toString() {
      return "[CLS] attention of vision layer " + layer;
    }
  }

  /**
   * Attention of text tokens to the visual tokens in a decoder layer: one row per query row asked
   * for, one column per visual token alive in that layer, heads averaged. Probabilities are those
   * after scale, causal mask and the softmax over all keys; the visual columns are cut out and not
   * renormalised.
   *
   * @param layer decoder layer, counted from 0
   * @param rows which queries
   */
  record TextToVisualAttention(int layer, QueryRows rows) implements ObservationRequest {

    public TextToVisualAttention {
      requireLayer(layer);
      Objects.requireNonNull(rows, "rows");
    }

    @Override
    public String toString() {
      return "text-to-visual attention of decoder layer " + layer + " (" + rows + " row)";
    }
  }

  /** Which query rows of an attention map are handed out. */
  enum QueryRows {
    /** The last token of the prompt: one row. */
    LAST
  }

  private static void requireLayer(int layer) {
    if (layer < 0) {
      throw new StrategyException("layer " + layer + " cannot be observed; layers count from 0");
    }
  }
}
