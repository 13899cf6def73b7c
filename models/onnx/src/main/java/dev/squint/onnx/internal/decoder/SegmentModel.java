package dev.squint.onnx.internal.decoder;

import ai.onnx.proto.OnnxMl.ModelProto;
import java.nio.file.Path;
import java.util.List;

/**
 * A segment as a model of its own.
 *
 * @param spec what was extracted
 * @param model the model; weights in external data are referred to, relative to {@code folder}
 * @param folder where the external data lies
 * @param hiddenInputs inputs that carry the hidden states, {@code [1, tokens, hidden]}, in the
 *     order of the previous segment's {@code hiddenOutputs}
 * @param hiddenOutputs outputs that carry the hidden states into the next segment; empty for the
 *     last segment
 */
public record SegmentModel(
    SegmentSpec spec,
    ModelProto model,
    Path folder,
    List<String> hiddenInputs,
    List<String> hiddenOutputs) {

  /**
   * Input of the seam: int64 {@code [kept]}, indices of the tokens that go on, in their order after
   * it; ascending unless tokens are merged.
   */
  public static final String KEEP = "keep";

  /** Input of a merging seam: int64 {@code [S]}, indices of the tokens that are in any sum. */
  public static final String MIX_SOURCES = "mix_sources";

  /**
   * Input of a merging seam: float {@code [M, S]}, the weight of each such token in each of M sums.
   * Sum m counts as token {@code arriving + m} in {@link #KEEP} and in what is given per token.
   */
  public static final String MIX_WEIGHTS = "mix_weights";

  /** The serialised model. */
  public byte[] bytes() {
    return model.toByteArray();
  }
}
