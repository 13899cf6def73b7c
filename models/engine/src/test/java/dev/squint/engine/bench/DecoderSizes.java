package dev.squint.engine.bench;

/**
 * Sizes of a decoder.
 *
 * @param name what it is called in reports
 * @param layers decoder layers
 * @param hidden width of the hidden states
 * @param heads query heads
 * @param kvHeads key and value heads
 * @param headDim width of a head
 * @param intermediate inner width of the MLP
 * @param vocabulary columns of the output matrix
 * @param bias whether the query, key and value projections have biases, as Qwen2's do
 */
record DecoderSizes(
    String name,
    int layers,
    int hidden,
    int heads,
    int kvHeads,
    int headDim,
    int intermediate,
    int vocabulary,
    boolean bias) {

  static final DecoderSizes TINY = new DecoderSizes("tiny", 3, 32, 4, 2, 8, 48, 64, true);

  static final DecoderSizes SMOLVLM_256M =
      new DecoderSizes("smolvlm-256m", 30, 576, 9, 3, 64, 1536, 49280, false);

  static final DecoderSizes QWEN2_HALF_B =
      new DecoderSizes("qwen2-0.5b", 24, 896, 14, 2, 64, 4864, 151936, true);

  static final DecoderSizes LLAMA_7B =
      new DecoderSizes("llama-7b", 32, 4096, 32, 32, 128, 11008, 32064, false);

  /** As many layers and tokens as a real one has, to count objects. */
  static final DecoderSizes THIN = new DecoderSizes("thin", 30, 32, 4, 2, 8, 48, 49280, false);

  /** Matrices of 0.1 GB in all, for a test of memory in every build. */
  static final DecoderSizes SMALL = new DecoderSizes("small", 8, 512, 8, 4, 64, 2048, 256, true);

  /** Small weights, so that the KV cache of a long prompt weighs. */
  static final DecoderSizes WIDE_CACHE =
      new DecoderSizes("wide-cache", 12, 1024, 16, 16, 64, 1024, 64, false);

  static DecoderSizes named(String name) {
    for (DecoderSizes sizes :
        new DecoderSizes[] {TINY, SMALL, SMOLVLM_256M, QWEN2_HALF_B, LLAMA_7B, WIDE_CACHE}) {
      if (sizes.name.equals(name)) {
        return sizes;
      }
    }
    throw new IllegalArgumentException(
        "no shape '%s'; choose tiny, small, smolvlm-256m, qwen2-0.5b, llama-7b or wide-cache"
            .formatted(name));
  }
}
