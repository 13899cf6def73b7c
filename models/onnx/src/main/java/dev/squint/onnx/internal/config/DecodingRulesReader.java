package dev.squint.onnx.internal.config;

import dev.squint.error.ModelException;
import dev.squint.onnx.config.DecodingRules;
import dev.squint.onnx.internal.io.ModelJson;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Reads {@link DecodingRules}. */
final class DecodingRulesReader {

  private static final int MOST_TOKENS = 1 << 28;
  private static final double LARGEST_PENALTY = 1e6;

  /** What other ways to decode are asked for by, each with what it is. */
  private static final Map<String, String> OTHER_WAYS =
      Map.ofEntries(
          Map.entry("penalty_alpha", "contrastive search"),
          Map.entry("dola_layers", "decoding by contrasting layers"),
          Map.entry("constraints", "constrained beam search"),
          Map.entry("force_words_ids", "constrained beam search"),
          Map.entry("sequence_bias", "a bias of the scores"),
          Map.entry("encoder_no_repeat_ngram_size", "a ban on sequences of the prompt"),
          Map.entry("exponential_decay_length_penalty", "a penalty on length"),
          Map.entry("watermarking_config", "a watermark"),
          Map.entry("token_healing", "token healing"),
          Map.entry("stop_strings", "an end at certain words"));

  /** Numbers that mean nothing if they are 1, each with what they ask for otherwise. */
  private static final Map<String, String> OTHER_THAN_ONE =
      Map.of(
          "num_beams", "beam search",
          "num_beam_groups", "beam search",
          "guidance_scale", "classifier-free guidance",
          "encoder_repetition_penalty", "a bonus for words of the prompt");

  private DecodingRulesReader() {}

  /**
   * Reads them. Settings of sampling are read by {@link SamplingRulesReader}; the longest answers,
   * which a request sets, and whatever does not change an answer are passed over.
   *
   * @param json {@code generation_config.json}
   * @param tokens how many tokens the model knows
   * @param endTokens tokens that end an answer
   * @throws ModelException if a setting would change answers in a way that is not known here
   */
  static DecodingRules read(ModelJson json, int tokens, Set<Long> endTokens) {
    OTHER_WAYS.forEach(
        (field, way) -> {
          if (json.isSet(field)) {
            throw other(json, field, way, "remove it");
          }
        });
    OTHER_THAN_ONE.forEach(
        (field, way) -> {
          double value = json.number(field, 0, LARGEST_PENALTY).orElse(1.0);
          if (value != 1 && value != 0) {
            throw other(json, field, way, "set it to 1");
          }
        });
    List<List<Long>> bad = new ArrayList<>(json.sequences("bad_words_ids", 0, tokens - 1L));
    bad.removeIf(sequence -> sequence.size() == 1 && endTokens.contains(sequence.get(0)));
    return new DecodingRules(
        json.number("repetition_penalty", 1 / LARGEST_PENALTY, LARGEST_PENALTY)
            .orElse(1.0)
            .floatValue(),
        json.whole("no_repeat_ngram_size", 0, MOST_TOKENS).orElse(0),
        bad,
        // The count of new tokens takes the place of the other where both are set.
        json.has("min_new_tokens") ? 0 : json.whole("min_length", 0, MOST_TOKENS).orElse(0),
        json.whole("min_new_tokens", 0, MOST_TOKENS).orElse(0),
        new LinkedHashSet<>(json.wholes("forced_eos_token_id", 0, tokens - 1L)),
        known(json, "suppress_tokens", tokens),
        known(json, "begin_suppress_tokens", tokens));
  }

  /** Tokens that the model does not know never come anyway; some files write -1 for none. */
  private static Set<Long> known(ModelJson json, String field, int tokens) {
    Set<Long> known = new LinkedHashSet<>(json.wholes(field, -1, MOST_TOKENS));
    known.removeIf(token -> token < 0 || token >= tokens);
    return known;
  }

  private static ModelException other(ModelJson json, String field, String way, String fix) {
    return new ModelException(
        "%s: '%s' asks for %s, which would change answers and is not known here; %s to have answers without it"
            .formatted(json.file(), field, way, fix));
  }
}
