package dev.squint.onnx.internal.config;

import dev.squint.error.ModelException;
import dev.squint.onnx.config.ModelConfig;
import dev.squint.onnx.internal.decoder.DecoderGraph;
import dev.squint.onnx.internal.io.ModelJson;
import dev.squint.onnx.internal.vision.VisionGraph;

/** What of a vision tower its graph alone does not tell. */
public final class TowerConfig {

  private TowerConfig() {}

  /**
   * A tower that knows which of its patches become a visual token, which layers attend within
   * windows, and which DeepStack features the decoder takes.
   *
   * @param root the model's {@code config.json}
   * @param config what it says
   * @throws ModelException if the decoder takes DeepStack features that it does not give
   */
  public static VisionGraph applied(
      VisionGraph tower, ModelJson root, ModelConfig config, DecoderGraph decoder) {
    return applied(tower, root)
        .pooled(config.vision().mergeSide(), config.vision().grid())
        .feeding(decoder.deepStack());
  }

  /** A tower of which no more is known than a config that says too little to answer. */
  public static VisionGraph applied(VisionGraph tower, ModelJson root) {
    return tower.windowed(WindowedLayers.of(root, tower.layers()));
  }
}
