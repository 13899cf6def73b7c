package dev.squint.evaluation.compare;

import java.util.List;
import java.util.Optional;

/**
 * One line of {@code results.jsonl}, as far as the summary needs it. Most of the millions of lines
 * of a large comparison are equal: they differ in their question and configuration alone.
 *
 * @param answer what of the answer is compared with that of the unpruned model
 * @param scores one per metric
 * @param cost what it took, if that is known
 */
record ScoredAnswer(String answer, List<Double> scores, Optional<Cost> cost) {

  private static final double RIGHT = 0.5;

  ScoredAnswer {
    scores = List.copyOf(scores);
  }

  /**
   * What an answer took.
   *
   * @param keptTokens visual tokens after the last site
   * @param averageTokens visual tokens averaged over the layers
   * @param visionFlops vision tower and projector
   * @param prefillFlops prefill
   * @param decodeFlops decoding
   * @param paperFlops prefill by the formula of each paper; empty where the decoder is not known
   * @param kvBytes KV cache at the end of the answer
   */
  record Cost(
      int keptTokens,
      double averageTokens,
      long visionFlops,
      long prefillFlops,
      long decodeFlops,
      List<Double> paperFlops,
      long kvBytes) {

    Cost {
      paperFlops = List.copyOf(paperFlops);
    }

    long flops() {
      return visionFlops + prefillFlops + decodeFlops;
    }
  }

  /** The plotted score. */
  double score() {
    return scores.get(0);
  }

  /** Whether the plotted score counts as a right answer. */
  boolean isRight() {
    return score() >= RIGHT;
  }
}
