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
   * Attention that each visual token receives in the vision tower: 1 row, one column per visual
   * token in row-major patch order; the mean over all query tokens and heads of the probabilities
   * after the softmax. It stands in for {@link ClsAttention} in towers without a [CLS] token, such
   * as SigLIP, as VisionZip does (Yang et al., "VisionZip: Longer is Better but Not Necessary in
   * Vision Language Models", 2024).
   *
   * @param layer vision layer, counted from 0
   */
  record AttentionReceived(int layer) implements ObservationRequest {

    public AttentionReceived {
      requireLayer(layer);
    }

    @Override
    public String toString() {
      return "attention received in vision layer " + layer;
    }
  }

  /**
   * Attention of text tokens to the visual tokens in a decoder layer: one row per query row asked
   * for, one column per visual token alive in that layer. Probabilities are those after scale,
   * causal mask and the softmax over all keys; the visual columns are cut out and not renormalised.
   * With the heads kept apart, the rows of the first head come first, then those of the second.
   *
   * @param layer decoder layer, counted from 0
   * @param rows which queries
   * @param heads whether the heads are averaged
   */
  record TextToVisualAttention(int layer, QueryRows rows, Heads heads)
      implements ObservationRequest {

    public TextToVisualAttention {
      requireLayer(layer);
      Objects.requireNonNull(rows, "rows");
      Objects.requireNonNull(heads, "heads");
    }

    /** With the heads averaged. */
    public TextToVisualAttention(int layer, QueryRows rows) {
      this(layer, rows, Heads.AVERAGED);
    }

    @Override
    public String toString() {
      return "text-to-visual attention of decoder layer %d (%s, heads %s)"
          .formatted(layer, rows, heads);
    }
  }

  /**
   * Hidden states that enter a decoder layer: one row per visual token alive there, one column per
   * hidden dimension.
   *
   * @param layer decoder layer, counted from 0; at a site before layer k at most k
   */
  record HiddenStates(int layer) implements ObservationRequest {

    public HiddenStates {
      requireLayer(layer);
    }

    @Override
    public String toString() {
      return "hidden states into decoder layer " + layer;
    }
  }

  /**
   * Keys of a decoder layer, rotary positions applied: one row per visual token alive there, the KV
   * heads side by side as columns.
   *
   * @param layer decoder layer, counted from 0
   */
  record Keys(int layer) implements ObservationRequest {

    public Keys {
      requireLayer(layer);
    }

    @Override
    public String toString() {
      return "keys of decoder layer " + layer;
    }
  }

  /** Which query rows of an attention map are handed out, in the order of the prompt. */
  enum QueryRows {
    /** The last token of the prompt: one row. */
    LAST,
    /** Text tokens behind the last visual token. */
    TEXT_AFTER_VISUAL,
    /** All text tokens. */
    TEXT
  }

  /** What becomes of the heads of an attention map. */
  enum Heads {
    /** Their mean. */
    AVERAGED,
    /** Each of them. */
    EACH
  }

  private static void requireLayer(int layer) {
    if (layer < 0) {
      throw new StrategyException("layer " + layer + " cannot be observed; layers count from 0");
    }
  }
}
