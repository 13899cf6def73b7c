package dev.squint.engine.internal.generate;

import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import dev.squint.onnx.config.DecodingRules;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Chooses the next token of one request: changes the scores as {@link DecodingRules} and {@link
 * Sampling} say, in the order of transformers, and takes the best or draws one. The presence
 * penalty, which transformers does not have, comes after the repetition penalty. Belongs to one
 * thread.
 */
final class NextToken {

  private static final float NEVER = Float.NEGATIVE_INFINITY;

  private final DecodingRules rules;
  private final Sampling how;
  private final Optional<Sampler> sampler;
  private final boolean changes;
  private final Set<Long> endTokens;
  private final int promptLength;
  private final int longest;
  private final SeenTokens text = new SeenTokens();
  private final SeenTokens answer = new SeenTokens();
  private float[] scores = {};
  private long[] tokens;
  private int length;

  /**
   * @param prompt all tokens of the prompt, those of pruned visual tokens included
   * @param longest how many tokens the answer may have
   */
  NextToken(DecodingRules rules, Sampling how, Set<Long> endTokens, long[] prompt, int longest) {
    this.rules = rules;
    this.how = how;
    this.sampler = how.draws() ? Optional.of(new Sampler(how)) : Optional.empty();
    this.changes =
        how.repetitionPenalty() != 1
            || how.presencePenalty() != 0
            || !rules.equals(DecodingRules.NONE.withRepetitionPenalty(rules.repetitionPenalty()));
    this.endTokens = endTokens;
    this.promptLength = prompt.length;
    this.longest = longest;
    this.tokens = prompt;
    this.length = prompt.length;
    if (how.repetitionPenalty() != 1) {
      Arrays.stream(prompt).forEach(text::add);
    }
  }

  /** Whether the scores decide; if not, the best token does. */
  boolean needsScores() {
    return changes || sampler.isPresent();
  }

  /**
   * Takes the token that the graph has found to have the best score.
   *
   * @param best the token, or negative if the scores are not numbers
   */
  long take(long best) {
    if (best < 0) {
      throw notNumbers();
    }
    return best;
  }

  /**
   * Chooses by the scores; among equals the smallest token is the best.
   *
   * @param logits a score for each token, left as they are
   */
  long choose(float[] logits) {
    for (float logit : logits) {
      if (Float.isNaN(logit)) {
        throw notNumbers();
      }
    }
    if (!needsScores()) {
      return best(logits);
    }
    float[] changed = changed(logits);
    long token = sampler.isPresent() ? sampler.get().draw(changed) : best(changed);
    remember(token);
    return token;
  }

  /** The scores as the rules change them, in an array that the next call writes over. */
  float[] changed(float[] logits) {
    if (scores.length != logits.length) {
      scores = new float[logits.length];
    }
    System.arraycopy(logits, 0, scores, 0, logits.length);
    if (changes) {
      change();
    }
    return scores;
  }

  /** What scores that are no numbers are refused with. */
  static ModelException notNumbers() {
    return new ModelException(
        Kind.BAD_MODEL,
        "the decoder scores the next token with what is no number (NaN or infinity); its file is damaged or of too coarse a precision, get it again or use another one");
  }

  /** Counts a token as one of the answer. */
  void remember(long token) {
    if (!changes) {
      return;
    }
    if (length == tokens.length) {
      tokens = Arrays.copyOf(tokens, length + length / 2 + 1);
    }
    tokens[length++] = token;
    text.add(token);
    answer.add(token);
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

  private void change() {
    int fresh = length - promptLength;
    if (how.repetitionPenalty() != 1) {
      text.penalise(scores, how.repetitionPenalty());
    }
    if (how.presencePenalty() != 0) {
      answer.subtract(scores, how.presencePenalty());
    }
    if (rules.noRepeat() > 0) {
      forbidRepetition(rules.noRepeat());
    }
    for (List<Long> word : rules.badWords()) {
      if (endsWith(word.subList(0, word.size() - 1))) {
        set(word.get(word.size() - 1), NEVER);
      }
    }
    if (length < rules.minLength() || fresh < rules.minNewTokens()) {
      endTokens.forEach(token -> set(token, NEVER));
    }
    if (!rules.forcedEnd().isEmpty() && fresh == longest - 1) {
      Arrays.fill(scores, NEVER);
      rules.forcedEnd().forEach(token -> set(token, 0));
    }
    rules.suppressed().forEach(token -> set(token, NEVER));
    if (fresh == 0) {
      rules.suppressedFirst().forEach(token -> set(token, NEVER));
    }
  }

  /** Every sequence of this length that begins as the text now ends forbids its last token. */
  private void forbidRepetition(int size) {
    int begins = length + 1 - size;
    for (int start = 0; start + size <= length; start++) {
      if (Arrays.equals(tokens, start, start + size - 1, tokens, begins, length)) {
        set(tokens[start + size - 1], NEVER);
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

  private void set(long token, float score) {
    if (token < scores.length) {
      scores[(int) token] = score;
    }
  }
}
