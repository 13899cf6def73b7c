package dev.squint.onnx.config;

import dev.squint.error.ModelException;
import dev.squint.onnx.internal.io.ModelJson;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What decides on the next token besides its score, as {@code generation_config.json} sets it:
 * changes of the scores that are applied before the best of them is taken, in this order, as
 * transformers does. A prompt counts with all its tokens, pruned or not.
 *
 * @param repetitionPenalty scores of tokens that are there already are divided by it if they are
 *     positive, else multiplied; 1 for none
 * @param noRepeat length of sequences that may not come twice, in tokens; 0 for any
 * @param badWords sequences that may not be completed
 * @param minLength tokens of prompt and answer together before it may end
 * @param minNewTokens tokens of the answer before it may end
 * @param forcedEnd tokens of which one is forced as the last that fits into the longest answer
 * @param suppressed tokens that never come
 * @param suppressedFirst tokens that do not come first
 */
public record DecodingRules(
    float repetitionPenalty,
    int noRepeat,
    List<List<Long>> badWords,
    int minLength,
    int minNewTokens,
    Set<Long> forcedEnd,
    Set<Long> suppressed,
    Set<Long> suppressedFirst) {

  /** The best score decides. */
  public static final DecodingRules NONE =
      new DecodingRules(1, 0, List.of(), 0, 0, Set.of(), Set.of(), Set.of());

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

  /** Copies the collections. */
  public DecodingRules {
    badWords = badWords.stream().map(List::copyOf).toList();
    forcedEnd = Set.copyOf(forcedEnd);
    suppressed = Set.copyOf(suppressed);
    suppressedFirst = Set.copyOf(suppressedFirst);
  }

  /**
   * Reads them. Settings of sampling are passed over: answers are greedy, as with {@code
   * do_sample=False}. So are the longest answers, which a request sets, and whatever does not
   * change an answer.
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
        "%s: '%s' asks for %s, which would change answers and is not known here; %s to have greedy answers"
            .formatted(json.file(), field, way, fix));
  }
}
