package dev.squint.models.graph;

/**
 * Something small that a segment hands out beside its hidden states, over the tokens that the
 * inputs {@code tap_rows} (R queries), {@code tap_columns} (N tokens) and {@code tap_text} (N other
 * tokens) choose. All are float32.
 */
public sealed interface Tap {

  /** The decoder layer it looks at. */
  int layer();

  /** Name of the output. */
  String output();

  /**
   * Attention probabilities of a layer: {@code [1, R, N]} averaged over the heads, or {@code [1,
   * heads, R, N]}. They are those after the softmax over all keys, cut to the N columns.
   *
   * @param layer the layer
   * @param perHead whether the heads are kept apart
   */
  record Attention(int layer, boolean perHead) implements Tap {
    @Override
    public String output() {
      return (perHead ? "tap.attention.heads." : "tap.attention.") + layer;
    }
  }

  /**
   * Hidden states that enter a layer, {@code [1, N, hidden]}.
   *
   * @param layer the layer; that behind the segment's last one is allowed too
   * @param text whether they are those of the tokens that {@code tap_text} chooses
   * @param normed whether they are passed through the norm behind the decoder's last layer
   */
  record HiddenStates(int layer, boolean text, boolean normed) implements Tap {

    /** Those of the tokens that {@code tap_columns} chooses, as they are. */
    public HiddenStates(int layer) {
      this(layer, false, false);
    }

    @Override
    public String output() {
      return "tap.hidden." + (text ? "text." : "") + (normed ? "normed." : "") + layer;
    }
  }

  /**
   * Keys of a layer as they lie in the KV cache, rotary positions applied: {@code [1, N, KV heads,
   * width]}.
   *
   * @param layer the layer
   * @param text whether they are those of the tokens that {@code tap_text} chooses
   */
  record Keys(int layer, boolean text) implements Tap {

    /** Those of the tokens that {@code tap_columns} chooses. */
    public Keys(int layer) {
      this(layer, false);
    }

    @Override
    public String output() {
      return "tap.keys." + (text ? "text." : "") + layer;
    }
  }

  /**
   * How many of the sentence's core neurons each token of {@code tap_columns} has among its own in
   * the feed-forward of a layer, {@code [1, N]}.
   *
   * @param layer the layer
   * @param rho share of the neurons that are core to a token
   * @param beta share of the neurons that are core to the sentence
   */
  record CoreNeurons(int layer, double rho, double beta) implements Tap {
    @Override
    public String output() {
      return "tap.core.%d.%s.%s".formatted(layer, rho, beta);
    }
  }
}
