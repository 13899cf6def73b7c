package dev.squint.examples.compare;

/**
 * One line of {@code results.jsonl}, as far as the summary needs it.
 *
 * @param answer the filtered answer
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
    float[] scores,
    int keptTokens,
    double averageTokens,
    long visionFlops,
    long prefillFlops,
    long decodeFlops,
    double[] paperFlops,
    long kvBytes) {

  long flops() {
    return visionFlops + prefillFlops + decodeFlops;
  }
}
