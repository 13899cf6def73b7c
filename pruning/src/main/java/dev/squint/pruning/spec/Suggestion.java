package dev.squint.pruning.spec;

import java.util.Collection;
import java.util.Locale;
import java.util.Optional;

/** The word somebody most likely meant. */
public final class Suggestion {

  private Suggestion() {}

  /** Returns the candidate of least distance, if no more than half of the longer word differs. */
  public static Optional<String> nearest(String word, Collection<String> candidates) {
    String typed = word.toLowerCase(Locale.ROOT);
    String best = null;
    int least = Integer.MAX_VALUE;
    for (String candidate : candidates) {
      int distance = distance(typed, candidate);
      if (distance < least && 2 * distance <= Math.max(typed.length(), candidate.length())) {
        best = candidate;
        least = distance;
      }
    }
    return Optional.ofNullable(best);
  }

  /**
   * Damerau-Levenshtein distance in its restricted form: no part is edited after two letters were
   * swapped.
   */
  static int distance(String a, String b) {
    int[][] d = new int[a.length() + 1][b.length() + 1];
    for (int i = 0; i <= a.length(); i++) {
      for (int j = 0; j <= b.length(); j++) {
        if (i == 0 || j == 0) {
          d[i][j] = i + j;
          continue;
        }
        int substitution = d[i - 1][j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        d[i][j] = Math.min(substitution, 1 + Math.min(d[i - 1][j], d[i][j - 1]));
        boolean swapped =
            i > 1
                && j > 1
                && a.charAt(i - 1) == b.charAt(j - 2)
                && a.charAt(i - 2) == b.charAt(j - 1);
        if (swapped) {
          d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
        }
      }
    }
    return d[a.length()][b.length()];
  }
}
