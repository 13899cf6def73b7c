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
   * <p>At a site before layer k the layer may be k itself: a probe computes that attention ahead of
   * the layer, over all tokens that arrive, at the cost of its query and key projections.
   *
   * @param layer decoder layer, counted from 0; at a site before layer k at most k
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
   * Hidden states that enter a decoder layer: one row per token asked for that is alive there, one
   * column per hidden dimension.
   *
   * @param layer decoder layer, counted from 0; at a site before layer k at most k
   * @param tokens whose
   * @param normed whether they are passed through the norm that stands behind the last layer
   */
  record HiddenStates(int layer, Tokens tokens, boolean normed) implements ObservationRequest {

    public HiddenStates {
      requireLayer(layer);
      Objects.requireNonNull(tokens, "tokens");
    }

    /** Those of the visual tokens, as they are. */
    public HiddenStates(int layer) {
      this(layer, Tokens.VISUAL, false);
    }

    @Override
    public String toString() {
      return "%shidden states into decoder layer %d (%s)"
          .formatted(normed ? "normed " : "", layer, tokens);
    }
  }

  /**
   * Keys of a decoder layer, rotary positions applied: one row per token asked for that is alive
   * there, the KV heads side by side as columns.
   *
   * @param layer decoder layer, counted from 0
   * @param tokens whose
   */
  record Keys(int layer, Tokens tokens) implements ObservationRequest {

    public Keys {
      requireLayer(layer);
      Objects.requireNonNull(tokens, "tokens");
    }

    /** Those of the visual tokens. */
    public Keys(int layer) {
      this(layer, Tokens.VISUAL);
    }

    @Override
    public String toString() {
      return "keys of decoder layer %d (%s)".formatted(layer, tokens);
    }
  }

  /**
   * How alike the features of visual tokens are: one row per visual token alive, one column per
   * token alive of the same tile or frame (the first column is its first token; a tile shorter than
   * the longest is filled up with zeros): their cosine. It is computed beside the network, so that
   * features never pass through Java. Only before the decoder.
   *
   * @param stage which features
   */
  record FeatureSimilarity(Stage stage) implements ObservationRequest {

    public FeatureSimilarity {
      Objects.requireNonNull(stage, "stage");
    }

    @Override
    public String toString() {
      return "similarity of " + stage + " features";
    }
  }

  /**
   * How alike the keys of patches are in a layer of the vision tower: laid out as {@link
   * FeatureSimilarity}; the cosine of the raw key projections, bias included. Only before the
   * decoder.
   *
   * @param layer vision layer, counted from 0
   * @param heads whether a key is the mean over the heads, or the heads side by side
   */
  record KeySimilarity(int layer, Heads heads) implements ObservationRequest {

    public KeySimilarity {
      requireLayer(layer);
      Objects.requireNonNull(heads, "heads");
    }

    @Override
    public String toString() {
      return "similarity of keys in vision layer %d (heads %s)".formatted(layer, heads);
    }
  }

  /**
   * How the question meets the picture at the decoder's input: one row per text token behind the
   * last visual token, one column per visual token that enters the decoder (before the decoder:
   * alive); the dot product or cosine of their embeddings.
   *
   * @param measure how two embeddings are compared
   */
  record EmbeddingSimilarity(Measure measure) implements ObservationRequest {

    public EmbeddingSimilarity {
      Objects.requireNonNull(measure, "measure");
    }

    @Override
    public String toString() {
      return "%s of text and visual embeddings".formatted(measure);
    }
  }

  /**
   * How many of the sentence's core neurons each visual token shares in the feed-forward of a
   * decoder layer: 1 row, one column per visual token alive there (Wang et al., "CoreMatching",
   * ICML 2025). A token's core neurons are the share {@code rho} of the feed-forward's neurons with
   * the highest activation (the product that enters the last matrix) among those above 0; the
   * sentence's are the share {@code beta} of neurons that are core to the most tokens, the lower
   * index first.
   *
   * @param layer decoder layer, counted from 0
   * @param rho share of neurons, above 0 and at most 1
   * @param beta share of neurons, above 0 and at most 1
   */
  record CoreNeurons(int layer, double rho, double beta) implements ObservationRequest {

    public CoreNeurons {
      requireLayer(layer);
      if (!(rho > 0 && rho <= 1 && beta > 0 && beta <= 1)) {
        throw new StrategyException(
            "core neurons are shares above 0 and at most 1, not rho=" + rho + ", beta=" + beta);
      }
    }

    @Override
    public String toString() {
      return "core neurons of decoder layer %d (rho %s, beta %s)".formatted(layer, rho, beta);
    }
  }

  /** Whose rows are handed out, in the order of the prompt. */
  enum Tokens {
    /** Visual tokens alive. */
    VISUAL,
    /** Text tokens behind the last visual token. */
    TEXT_AFTER_VISUAL
  }

  /** Where features are taken. */
  enum Stage {
    /** As the vision tower hands them to the projector. */
    BEFORE_PROJECTOR,
    /** As they enter the decoder. */
    PROJECTED
  }

  /** How two vectors are compared. */
  enum Measure {
    /** Their dot product. */
    DOT,
    /** The cosine of the angle between them; 0 if one of them is zero. */
    COSINE
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
