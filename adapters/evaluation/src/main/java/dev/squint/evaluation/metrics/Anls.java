package dev.squint.evaluation.metrics;

import java.util.List;
import java.util.Locale;

/**
 * Average normalised Levenshtein similarity (Biten et al., ST-VQA, ICCV 2019): one minus the edit
 * distance over the longer length (before spaces are trimmed, as lmms-eval has it), of the nearest
 * target; below one half it counts as 0.
 */
record Anls() implements Metric {

  private static final double LEAST = 0.5;

  @Override
  public String name() {
    return "anls";
  }

  @Override
  public String filter(String answer, List<String> choices) {
    return String.join(" ", answer.strip().toLowerCase(Locale.ROOT).split("\\s+"));
  }

  @Override
  public double score(String answer, List<String> targets, List<String> choices) {
    String said = filter(answer, choices);
    double best = 0;
    for (String target : targets) {
      String right = filter(target, choices);
      int longer = Math.max(answer.length(), target.length());
      best = Math.max(best, longer == 0 ? 1 : 1 - (double) distance(said, right) / longer);
    }
    return best < LEAST ? 0 : best;
  }

  private static int distance(String a, String b) {
    int[] above = new int[b.length() + 1];
    for (int j = 0; j < above.length; j++) {
      above[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int[] row = new int[above.length];
      row[0] = i;
      for (int j = 1; j < row.length; j++) {
        int change = above[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        row[j] = Math.min(change, 1 + Math.min(above[j], row[j - 1]));
      }
      above = row;
    }
    return above[b.length()];
  }
}
