package dev.squint.onnx.config;

import java.util.List;

/**
 * How a model's {@code generation_config.json} draws the next token, with the defaults of
 * transformers where it is silent.
 *
 * @param sample whether tokens are drawn unless a request says otherwise; else the best one is
 *     taken
 * @param temperature what scores are divided by; 0 takes the best token
 * @param topK how many of the best tokens are drawn from; 0 for all
 * @param topP probability that the best tokens drawn from have together at least
 * @param minP probability, as a share of the best token's, below which no token is drawn
 * @param unknown settings that would change what is drawn in a way that is not known here; the best
 *     token is the same with them
 */
public record SamplingRules(
    boolean sample, double temperature, int topK, double topP, double minP, List<String> unknown) {

  /** The best token, unless a request samples; then what transformers does by default. */
  public static final SamplingRules NONE = new SamplingRules(false, 1, 50, 1, 0, List.of());

  /** Copies the list. */
  public SamplingRules {
    unknown = List.copyOf(unknown);
  }
}
