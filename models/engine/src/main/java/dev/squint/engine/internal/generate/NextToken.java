package dev.squint.engine.internal.generate;

import dev.squint.onnx.config.DecodingRules;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * Chooses the next token of one request: changes the scores as {@link DecodingRules} say, in the
 * order of transformers, and takes the best. Belongs to one thread.
 */
final class NextToken {

  private static final float NEVER = Float.NEGATIVE_INFINITY;

  private final DecodingRules rules;
  private final boolean changes;
  private final Set<Long> endTokens;
  private final int promptLength;
  private final int longest;
  private long[] tokens;
  private int length;

  /**
   * @param prompt all tokens of the prompt, those of pruned visual tokens included
   * @param longest how many tokens the answer may have
   */
  NextToken(DecodingRules rules, Set<Long> endTokens, long[] prompt, int longest) {
    this.rules = rules;
    this.changes = !rules.equals(DecodingRules.NONE);
    this.endTokens = endTokens;
    this.promptLength = prompt.length;
    this.longest = longest;
    this.tokens = prompt;
    this.length = prompt.length;
  }

  /**
   * Takes the best token; among equals the smallest.
   *
   * @param logits a score for each token, left as they are
   */
  long choose(float[] logits) {
    long token = best(changes ? changed(logits.clone()) : logits);
    if (length == tokens.length) {
      tokens = Arrays.copyOf(tokens, length + length / 2 + 1);
    }
    tokens[length++] = token;
    return token;
  }

  private static int best(float[] scores) {
    int best = 0;
    for (int i = 1; i < scores.length; i++) {
      if (scores[i] > scores[best]) {
        best = i;
      }
    }
    return best;
  }

  private float[] changed(float[] scores) {
    int fresh = length - promptLength;
    if (rules.repetitionPenalty() != 1) {
      penaliseRepetition(scores);
    }
    if (rules.noRepeat() > 0) {
      forbidRepetition(scores, rules.noRepeat());
    }
    for (List<Long> word : rules.badWords()) {
      if (endsWith(word.subList(0, word.size() - 1))) {
        set(scores, word.get(word.size() - 1), NEVER);
      }
    }
    if (length < rules.minLength() || fresh < rules.minNewTokens()) {
      endTokens.forEach(token -> set(scores, token, NEVER));
    }
    if (!rules.forcedEnd().isEmpty() && fresh == longest - 1) {
      Arrays.fill(scores, NEVER);
      rules.forcedEnd().forEach(token -> set(scores, token, 0));
    }
    rules.suppressed().forEach(token -> set(scores, token, NEVER));
    if (fresh == 0) {
      rules.suppressedFirst().forEach(token -> set(scores, token, NEVER));
    }
    return scores;
  }

  private void penaliseRepetition(float[] scores) {
    boolean[] seen = new boolean[scores.length];
    for (int i = 0; i < length; i++) {
      int token = (int) tokens[i];
      if (token < scores.length && !seen[token]) {
        seen[token] = true;
        scores[token] =
            scores[token] < 0
                ? scores[token] * rules.repetitionPenalty()
                : scores[token] / rules.repetitionPenalty();
      }
    }
  }

  /** Every sequence of this length that begins as the text now ends forbids its last token. */
  private void forbidRepetition(float[] scores, int size) {
    int begins = length + 1 - size;
    for (int start = 0; start + size <= length; start++) {
      if (Arrays.equals(tokens, start, start + size - 1, tokens, begins, length)) {
        set(scores, tokens[start + size - 1], NEVER);
      }
    }
  }

  private boolean endsWith(List<Long> sequence) {
    int from = length - sequence.size();
    for (int i = 0; i < sequence.size(); i++) {
      if (from < 0 || tokens[from + i] != sequence.get(i)) {
        return false;
      }
    }
    return true;
  }

  private static void set(float[] scores, long token, float score) {
    if (token < scores.length) {
      scores[(int) token] = score;
    }
  }
}
