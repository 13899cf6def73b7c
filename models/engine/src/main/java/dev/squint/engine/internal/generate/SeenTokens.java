package dev.squint.engine.internal.generate;

import java.util.Arrays;
import java.util.BitSet;

/** Tokens that were there, each once. */
final class SeenTokens {

  private final BitSet seen = new BitSet();
  private int[] tokens = new int[16];
  private int count;

  void add(long token) {
    int id = Math.toIntExact(token);
    if (!seen.get(id)) {
      seen.set(id);
      if (count == tokens.length) {
        tokens = Arrays.copyOf(tokens, 2 * count);
      }
      tokens[count++] = id;
    }
  }

  /** Divides positive scores of these tokens, and multiplies the others. */
  void penalise(float[] scores, float penalty) {
    for (int i = 0; i < count; i++) {
      int token = tokens[i];
      if (token < scores.length) {
        scores[token] = scores[token] < 0 ? scores[token] * penalty : scores[token] / penalty;
      }
    }
  }

  /** Takes something from the scores of these tokens. */
  void subtract(float[] scores, float penalty) {
    for (int i = 0; i < count; i++) {
      if (tokens[i] < scores.length) {
        scores[tokens[i]] -= penalty;
      }
    }
  }
}
