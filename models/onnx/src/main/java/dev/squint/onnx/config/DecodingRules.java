package dev.squint.onnx.config;

import java.util.List;
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

  /** The same rules with another penalty. */
  public DecodingRules withRepetitionPenalty(float penalty) {
    return new DecodingRules(
        penalty,
        noRepeat,
        badWords,
        minLength,
        minNewTokens,
        forcedEnd,
        suppressed,
        suppressedFirst);
  }

  /** Copies the collections. */
  public DecodingRules {
    badWords = badWords.stream().map(List::copyOf).toList();
    forcedEnd = Set.copyOf(forcedEnd);
    suppressed = Set.copyOf(suppressed);
    suppressedFirst = Set.copyOf(suppressedFirst);
  }
}
