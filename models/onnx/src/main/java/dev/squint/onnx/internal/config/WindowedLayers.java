package dev.squint.onnx.internal.config;

import dev.squint.onnx.internal.io.ModelJson;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Which layers of a vision tower attend within windows of the image. A graph that does so by masks
 * looks like one that does not.
 */
final class WindowedLayers {

  private static final String FULL = "fullatt_block_indexes";
  private static final List<Long> USUAL = List.of(7L, 15L, 23L, 31L);
  private static final int MOST_LAYERS = 1 << 14;

  private WindowedLayers() {}

  /**
   * Those of a Qwen2.5-VL; other towers have none.
   *
   * @param config its {@code config.json}
   * @param layers how many layers its tower has
   */
  static Set<Integer> of(ModelJson config, int layers) {
    ModelJson vision = config.section("vision_config");
    boolean usual = config.text("model_type").filter("qwen2_5_vl"::equals).isPresent();
    if (!usual && !vision.has(FULL)) {
      return Set.of();
    }
    List<Long> full = vision.has(FULL) ? vision.wholes(FULL, 0, MOST_LAYERS) : USUAL;
    return IntStream.range(0, layers)
        .filter(layer -> !full.contains((long) layer))
        .boxed()
        .collect(Collectors.toSet());
  }
}
