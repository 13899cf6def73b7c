package dev.squint.pruning.shape;

import dev.squint.error.StrategyException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * The shape of a LLaMA-style decoder; its {@linkplain #builder() builder} names each size.
 *
 * @param layers number of layers
 * @param hidden width of the residual stream
 * @param heads query heads
 * @param kvHeads key and value heads; fewer than {@code heads} with grouped-query attention
 * @param headDim width of one head
 * @param intermediate width of the gated MLP
 * @param vocabulary rows of the output matrix
 */
public record DecoderShape(
    int layers, int hidden, int heads, int kvHeads, int headDim, int intermediate, int vocabulary) {

  public DecoderShape {
    if (Math.min(
                Math.min(Math.min(layers, hidden), Math.min(heads, kvHeads)),
                Math.min(headDim, intermediate))
            < 1
        || vocabulary < 1) {
      throw new IllegalArgumentException("every size of a decoder shape is at least 1");
    }
    if (heads % kvHeads != 0) {
      throw new IllegalArgumentException(
          heads + " query heads cannot share " + kvHeads + " key heads evenly");
    }
  }

  /** Starts a shape; whatever has no default has to be set. */
  public static Builder builder() {
    return new Builder();
  }

  /** Collects the sizes. */
  public static final class Builder {

    private int layers;
    private int hidden;
    private int heads;
    private OptionalInt kvHeads = OptionalInt.empty();
    private OptionalInt headDim = OptionalInt.empty();
    private int intermediate;
    private int vocabulary;

    private Builder() {}

    /** Sets the number of layers. */
    public Builder layers(int count) {
      layers = count;
      return this;
    }

    /** Sets the width of the residual stream. */
    public Builder hidden(int width) {
      hidden = width;
      return this;
    }

    /** Sets the query heads. */
    public Builder heads(int count) {
      heads = count;
      return this;
    }

    /** Sets the key and value heads; as many as query heads unless set. */
    public Builder kvHeads(int count) {
      kvHeads = OptionalInt.of(count);
      return this;
    }

    /** Sets the width of one head; the residual stream over the query heads unless set. */
    public Builder headDim(int width) {
      headDim = OptionalInt.of(width);
      return this;
    }

    /** Sets the width of the gated MLP. */
    public Builder intermediate(int width) {
      intermediate = width;
      return this;
    }

    /** Sets the rows of the output matrix. */
    public Builder vocabulary(int tokens) {
      vocabulary = tokens;
      return this;
    }

    /**
     * Makes the shape.
     *
     * @throws IllegalArgumentException if a size is below 1 or query heads cannot share key heads
     */
    public DecoderShape build() {
      return new DecoderShape(
          layers,
          hidden,
          heads,
          kvHeads.orElse(heads),
          headDim.orElse(hidden / Math.max(1, heads)),
          intermediate,
          vocabulary);
    }
  }

  /**
   * Passes a layer before which this decoder can be split.
   *
   * @param strategy whom the error names
   * @param parameter the parameter that gave the layer
   * @param layer the first layer that is to run pruned
   * @return the layer
   * @throws StrategyException if the decoder has no such layer
   */
  public int requireSplit(String strategy, String parameter, int layer) {
    if (layers == 1) {
      throw new StrategyException(
          "strategy '%s': layer %s=%d, but the decoder has a single layer; choose a strategy that prunes after vision"
              .formatted(strategy, parameter, layer));
    }
    if (layer < 1 || layer >= layers) {
      throw new StrategyException(
          "strategy '%s': layer %s=%d, but the decoder has %d layers; choose 1..%d"
              .formatted(strategy, parameter, layer, layers, layers - 1));
    }
    return layer;
  }

  /**
   * Passes ascending layers before each of which this decoder can be split, or the default ones.
   *
   * @param strategy whom the error names
   * @param layers the layers asked for by the parameter {@code layers}; empty for the default
   * @param ofThirtyTwo the default in a decoder of 32 layers, scaled to the depth of this one
   * @return the layers, at least one
   * @throws StrategyException if the decoder has no such layer
   */
  public List<Integer> requireSplits(String strategy, List<Integer> layers, int... ofThirtyTwo) {
    if (!layers.isEmpty()) {
      layers.forEach(layer -> requireSplit(strategy, "layers", layer));
      return layers;
    }
    List<Integer> scaled = new ArrayList<>();
    for (int layer : ofThirtyTwo) {
      int split = (int) Math.rint(layer * this.layers / 32.0);
      split = Math.max(1, Math.min(split, this.layers - 1));
      if (scaled.isEmpty() || split > scaled.get(scaled.size() - 1)) {
        scaled.add(requireSplit(strategy, "layers", split));
      }
    }
    return List.copyOf(scaled);
  }
}
