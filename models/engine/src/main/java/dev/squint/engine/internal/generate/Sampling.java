package dev.squint.engine.internal.generate;

import dev.squint.engine.request.SamplingOptions;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import dev.squint.onnx.config.ModelConfig;
import dev.squint.onnx.config.SamplingRules;

/**
 * How one request draws its tokens: as it asks, else as the model has it.
 *
 * @param draws whether tokens are drawn; else the best one is taken
 * @param temperature what scores are divided by
 * @param topK how many of the best tokens are drawn from; 0 for all
 * @param topP probability that the best tokens drawn from have together at least
 * @param minP probability, as a share of the best token's, below which no token is drawn
 * @param repetitionPenalty what positive scores of tokens of prompt and answer are divided by,
 *     others multiplied
 * @param presencePenalty what is taken from the scores of tokens of the answer
 * @param seed what drawing starts from
 */
record Sampling(
    boolean draws,
    float temperature,
    int topK,
    double topP,
    double minP,
    float repetitionPenalty,
    float presencePenalty,
    long seed) {

  /**
   * What a request and a model make together.
   *
   * @throws ModelException if tokens are to be drawn and the model asks for a way that is not known
   *     here
   */
  static Sampling of(SamplingOptions asked, ModelConfig config) {
    SamplingRules rules = config.sampling();
    double temperature = asked.temperature().orElse(rules.temperature());
    boolean samples =
        rules.sample()
            || asked.temperature().isPresent()
            || asked.topK().isPresent()
            || asked.topP().isPresent()
            || asked.minP().isPresent();
    boolean draws = samples && temperature > 0;
    if (draws && !rules.unknown().isEmpty()) {
      throw new ModelException(
          Kind.BAD_MODEL,
          "generation_config.json sets %s, which would change what is drawn and is not known here; remove it, or take the best token with temperature 0"
              .formatted(String.join(" and ", rules.unknown())));
    }
    return new Sampling(
        draws,
        (float) temperature,
        asked.topK().orElse(rules.topK()),
        asked.topP().orElse(rules.topP()),
        asked.minP().orElse(rules.minP()),
        (float) asked.repetitionPenalty().orElse(config.decoding().repetitionPenalty()),
        (float) asked.presencePenalty().orElse(0),
        asked.seed());
  }
}
