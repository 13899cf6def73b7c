package dev.squint.pruning.shape;

import dev.squint.error.StrategyException;
import java.util.ArrayList;
import java.util.List;

/**
 * The shape of a LLaMA-style decoder.
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
   * @param parameter the parameter that gave the layers
   * @param layers the layers asked for; empty for the default
   * @param ofThirtyTwo the default in a decoder of 32 layers, scaled to the depth of this one
   * @return the layers, at least one
   * @throws StrategyException if the decoder has no such layer
   */
  public List<Integer> requireSplits(
      String strategy, String parameter, List<Integer> layers, int... ofThirtyTwo) {
    if (!layers.isEmpty()) {
      layers.forEach(layer -> requireSplit(strategy, parameter, layer));
      return layers;
    }
    List<Integer> scaled = new ArrayList<>();
    for (int layer : ofThirtyTwo) {
      int split = (int) Math.rint(layer * this.layers / 32.0);
      split = Math.max(1, Math.min(split, this.layers - 1));
      if (scaled.isEmpty() || split > scaled.get(scaled.size() - 1)) {
        scaled.add(requireSplit(strategy, parameter, split));
      }
    }
    return List.copyOf(scaled);
  }
}
