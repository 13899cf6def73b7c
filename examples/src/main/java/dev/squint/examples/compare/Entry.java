package dev.squint.examples.compare;

import java.util.Arrays;

/**
 * One line of {@code results.jsonl}, as far as the summary needs it. Equal by value: most of the
 * millions of lines of a large comparison differ in their question and cell alone.
 *
 * @param answer what of the answer is compared with that of the unpruned model
 * @param scores one per metric
 * @param keptTokens visual tokens behind the last site
 * @param averageTokens visual tokens averaged over the layers
 * @param visionFlops vision tower and projector
 * @param prefillFlops prefill
 * @param decodeFlops decoding
 * @param paperFlops prefill by the formula of each paper
 * @param kvBytes KV cache at the end of the answer
 */
record Entry(
    String answer,
    double[] scores,
    int keptTokens,
    double averageTokens,
    long visionFlops,
    long prefillFlops,
    long decodeFlops,
    double[] paperFlops,
    long kvBytes) {

  private static final double RIGHT = 0.5;

  /** Whether the plotted score counts as a right answer. */
  boolean isRight() {
    return scores[0] >= RIGHT;
  }

  long flops() {
    return visionFlops + prefillFlops + decodeFlops;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Entry entry
        && keptTokens == entry.keptTokens
        && averageTokens == entry.averageTokens
        && visionFlops == entry.visionFlops
        && prefillFlops == entry.prefillFlops
        && decodeFlops == entry.decodeFlops
        && kvBytes == entry.kvBytes
        && answer.equals(entry.answer)
        && Arrays.equals(scores, entry.scores)
        && Arrays.equals(paperFlops, entry.paperFlops);
  }

  @Override
  public int hashCode() {
    int hash = 31 * answer.hashCode() + Arrays.hashCode(scores);
    return 31 * (31 * hash + Long.hashCode(prefillFlops)) + Long.hashCode(decodeFlops);
  }
}
