package dev.squint.evaluation.metrics;

import java.util.List;

/**
 * ROUGE-L (Lin, 2004) as COCO's caption scorer computes it: F of the longest common subsequence
 * with beta 1.2, precision and recall each the best over the targets.
 */
record RougeL() implements Metric {

  private static final double BETA_SQUARED = 1.2 * 1.2;

  @Override
  public String name() {
    return "rouge_l";
  }

  @Override
  public boolean tellsRightFromWrong() {
    return false;
  }

  @Override
  public String filter(String answer, List<String> choices) {
    return String.join(" ", CaptionWords.of(answer));
  }

  @Override
  public double score(String answer, List<String> targets, List<String> choices) {
    List<String> said = CaptionWords.of(answer);
    double precision = 0;
    double recall = 0;
    for (String target : targets) {
      List<String> right = CaptionWords.of(target);
      if (!said.isEmpty() && !right.isEmpty()) {
        double common = common(said, right);
        precision = Math.max(precision, common / said.size());
        recall = Math.max(recall, common / right.size());
      }
    }
    return precision == 0 || recall == 0
        ? 0
        : (1 + BETA_SQUARED) * precision * recall / (recall + BETA_SQUARED * precision);
  }

  private static int common(List<String> a, List<String> b) {
    int[] above = new int[b.size() + 1];
    for (String word : a) {
      int[] row = new int[above.length];
      for (int j = 1; j < row.length; j++) {
        row[j] = word.equals(b.get(j - 1)) ? above[j - 1] + 1 : Math.max(above[j], row[j - 1]);
      }
      above = row;
    }
    return above[b.size()];
  }
}
