package dev.squint.models.graph;

/**
 * Something small that a segment hands out beside its hidden states, over the tokens that the
 * inputs {@code tap_rows} (R queries) and {@code tap_columns} (N tokens) choose. All are float32.
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
   */
  record HiddenStates(int layer) implements Tap {
    @Override
    public String output() {
      return "tap.hidden." + layer;
    }
  }

  /**
   * Keys of a layer as they lie in the KV cache, rotary positions applied: {@code [1, N, KV heads,
   * width]}.
   *
   * @param layer the layer
   */
  record Keys(int layer) implements Tap {
    @Override
    public String output() {
      return "tap.keys." + layer;
    }
  }
}
