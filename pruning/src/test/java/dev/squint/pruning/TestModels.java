package dev.squint.pruning;

import dev.squint.pruning.shape.DecoderShape;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.shape.VisionShape;

/** The shapes of a well-known model. */
public final class TestModels {

  private TestModels() {}

  public static ModelShape llava() {
    return new ModelShape(
        "llava-1.5-7b",
        new DecoderShape(32, 4096, 32, 32, 128, 11008, 32064),
        new VisionShape(23, 1024, 16, 4096, 576, 588, true, 24, 24, 4096),
        576);
  }
}
