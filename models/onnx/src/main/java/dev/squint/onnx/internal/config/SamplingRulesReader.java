package dev.squint.onnx.internal.config;

import dev.squint.onnx.config.SamplingRules;
import dev.squint.onnx.internal.io.ModelJson;
import java.util.Map;

/** Reads {@link SamplingRules}. */
final class SamplingRulesReader {

  private static final int MOST_TOKENS = 1 << 28;
  private static final double HOTTEST = 1e6;

  /** Other ways to choose what is drawn from, each with the number that means nothing. */
  private static final Map<String, Double> OTHER_WAYS =
      Map.of("typical_p", 1.0, "epsilon_cutoff", 0.0, "eta_cutoff", 0.0, "top_h", 0.0);

  private SamplingRulesReader() {}

  /**
   * Reads them.
   *
   * @param json {@code generation_config.json}
   */
  static SamplingRules read(ModelJson json) {
    SamplingRules none = SamplingRules.NONE;
    return new SamplingRules(
        json.flag("do_sample").orElse(none.sample()),
        json.number("temperature", 0, HOTTEST).orElse(none.temperature()),
        json.whole("top_k", 0, MOST_TOKENS).orElse(none.topK()),
        json.number("top_p", 0, 1).orElse(none.topP()),
        json.number("min_p", 0, 1).orElse(none.minP()),
        OTHER_WAYS.entrySet().stream()
            .filter(
                way ->
                    !json.number(way.getKey(), 0, 1).orElse(way.getValue()).equals(way.getValue()))
            .map(Map.Entry::getKey)
            .sorted()
            .toList());
  }
}
