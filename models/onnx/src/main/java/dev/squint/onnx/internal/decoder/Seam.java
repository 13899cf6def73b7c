package dev.squint.onnx.internal.decoder;

/** What stands at the head of a segment. */
public enum Seam {
  /** Nothing: all tokens that arrive go on. */
  NONE,
  /** A gather: the tokens that the input {@code keep} names go on. */
  GATHER,
  /**
   * Weighted sums of arriving tokens are made, as the inputs {@code mix_sources} and {@code
   * mix_weights} say, and take part in the gather after the arriving ones.
   */
  MERGE
}
