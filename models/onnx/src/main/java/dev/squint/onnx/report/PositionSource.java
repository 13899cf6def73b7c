package dev.squint.onnx.report;

/** Where a decoder takes the rotary positions of its tokens from. */
public enum PositionSource {
  /** An input {@code position_ids}, int64 {@code [1, tokens]}. */
  INPUT,
  /**
   * An input {@code position_ids}, int64 {@code [3, 1, tokens]}: temporal, height and width (mRoPE,
   * Wang et al., "Qwen2-VL", 2024).
   */
  INPUT_3D,
  /**
   * The attention operator counts them from the length of the KV cache; they can be given from
   * outside after the rotation is moved out of the operator.
   */
  FUSED,
  /** The graph counts them; the tensor that holds them is known and can be replaced. */
  COUNTED,
  /** Not found: tokens after a seam have the positions 0, 1, 2 and so on. */
  UNKNOWN;

  /** Whether tokens can keep their original positions after others have left. */
  public boolean isControllable() {
    return this != UNKNOWN;
  }

  /** How many rows of positions one prompt has: 3 for mRoPE, else 1. */
  public int rows() {
    return this == INPUT_3D ? 3 : 1;
  }
}
