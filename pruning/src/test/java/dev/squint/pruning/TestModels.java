package dev.squint.pruning;

import dev.squint.pruning.shape.DecoderShape;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.shape.VisionShape;

/** The shapes of a well-known model. */
public final class TestModels {

  private TestModels() {}

  public static ModelShape llava() {
    return llava(true);
  }

  public static ModelShape llava(boolean hasCls) {
    return new ModelShape(
        "llava-1.5-7b",
        new DecoderShape(32, 4096, 32, 32, 128, 11008, 32064),
        VisionShape.builder()
            .layers(23)
            .hidden(1024)
            .heads(16)
            .intermediate(4096)
            .grid(24, 24)
            .patchDim(588)
            .cls(hasCls)
            .projectorHidden(4096)
            .build(),
        576);
  }
}
