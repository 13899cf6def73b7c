package dev.squint.engine.internal.prune;

import dev.squint.error.ModelException;
import dev.squint.onnx.config.ModelConfig;
import dev.squint.onnx.internal.decoder.DecoderGraph;
import dev.squint.onnx.internal.vision.VisionGraph;
import dev.squint.pruning.shape.DecoderShape;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.shape.VisionShape;

/** What a strategy may know about a model, from its graphs. */
public final class ModelShapes {

  private ModelShapes() {}

  /**
   * The shape of a model whose sizes are all known.
   *
   * @throws ModelException if they are those of no model
   */
  public static ModelShape of(
      String name, ModelConfig config, DecoderGraph decoder, VisionGraph vision) {
    ModelConfig.Text text = config.text();
    ModelConfig.Vision tower = config.vision();
    int grid = tower.grid();
    try {
      return new ModelShape(
          name,
          DecoderShape.builder()
              .layers(text.layers())
              .hidden(text.hidden())
              .heads(text.heads())
              .kvHeads(text.kvHeads())
              .headDim(text.headDim())
              .intermediate(text.intermediate())
              .vocabulary(text.vocabulary())
              .build(),
          VisionShape.builder()
              .windowedLayers(vision.windowedLayers())
              .joinsInProjector(vision.joinsInProjector())
              .layers(vision.layers() > 0 ? vision.layers() : tower.layers())
              .hidden(tower.hidden())
              .heads(tower.heads())
              .intermediate(tower.intermediate())
              .grid(grid, grid)
              .patchDim(3 * tower.patchSize() * tower.patchSize())
              .cls(vision.hasCls())
              .patchesPerToken(tower.patchesPerToken())
              .projectorHidden(vision.projectorHidden().orElse(text.hidden()))
              .build(),
          config.visualTokens(),
          text.ropeTheta());
    } catch (IllegalArgumentException e) {
      throw new ModelException("config.json does not describe a model: " + e.getMessage(), e);
    }
  }

  /** What the graphs alone tell: enough to plan a strategy, not to count its FLOPs. */
  public static ModelShape ofGraphs(String name, DecoderGraph decoder, VisionGraph tower) {
    int heads = orOne(decoder.kvHeads());
    return new ModelShape(
        name,
        DecoderShape.builder()
            .layers(decoder.layers())
            .hidden(orOne(decoder.hidden()))
            .heads(heads)
            .headDim(orOne(decoder.headDim()))
            .intermediate(1)
            .vocabulary(1)
            .build(),
        VisionShape.builder()
            .windowedLayers(tower.windowedLayers())
            .joinsInProjector(tower.joinsInProjector())
            .layers(Math.max(1, tower.layers()))
            .hidden(1)
            .heads(1)
            .intermediate(1)
            .grid(1, 1)
            .patchDim(1)
            .cls(tower.hasCls())
            .projectorHidden(1)
            .build(),
        1);
  }

  private static int orOne(long size) {
    return size > 0 && size <= Integer.MAX_VALUE ? (int) size : 1;
  }
}
