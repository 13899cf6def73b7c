package dev.squint.onnx.internal.config;

import dev.squint.onnx.internal.decoder.DecoderGraph;
import dev.squint.onnx.internal.io.ModelJson;
import dev.squint.onnx.internal.vision.VisionGraph;
import java.util.ArrayList;
import java.util.List;

/**
 * What the graphs of a model lack of it, though they answer: their answers are then those of the
 * model without it.
 */
public final class MissingParts {

  private static final String DEEP_STACK = "deepstack_visual_indexes";

  private MissingParts() {}

  /**
   * What is missing, a sentence each.
   *
   * @param config its {@code config.json}
   */
  public static List<String> of(ModelJson config, DecoderGraph decoder, VisionGraph tower) {
    boolean deepStack = hasDeepStack(config) || !tower.deepStack().names().isEmpty();
    List<String> missing = new ArrayList<>();
    if (deepStack && decoder.deepStack().isEmpty()) {
      missing.add(
          "lacks DeepStack: the decoder has no input for features of early vision layers, so it answers without them");
    }
    if (tower.isConvolutional()) {
      missing.add("FLOPs of the vision encoder are not counted: it is made of convolutions");
    }
    return List.copyOf(missing);
  }

  private static boolean hasDeepStack(ModelJson config) {
    ModelJson vision = config.section("vision_config");
    boolean usual =
        config.text("model_type").filter(type -> type.startsWith("qwen3_vl")).isPresent();
    return vision.has(DEEP_STACK) ? vision.isSet(DEEP_STACK) : usual;
  }
}
