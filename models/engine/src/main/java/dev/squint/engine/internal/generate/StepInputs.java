package dev.squint.engine.internal.generate;

import ai.onnxruntime.OnnxTensor;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.engine.internal.session.SplitDecoder;
import dev.squint.engine.internal.tokens.MergeMatrix;
import dev.squint.engine.internal.tokens.RotaryPositions;
import dev.squint.onnx.internal.decoder.DecoderGraph;
import dev.squint.onnx.internal.decoder.RowInput;
import dev.squint.onnx.internal.decoder.Seam;
import dev.squint.onnx.internal.decoder.SegmentModel;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.util.HashMap;
import java.util.Map;

/**
 * Inputs of a segment that takes one token of text, made once however many tokens follow: they are
 * the same in every step, but for the position, which is written over.
 */
final class StepInputs implements AutoCloseable {

  private static final int[] FIRST = {0};

  private final TensorScope owner;
  private final Map<String, OnnxTensor> given = new HashMap<>();
  private final LongBuffer position;

  /**
   * @param axes axes of its rotary positions
   * @param owner closed with this
   */
  StepInputs(SplitDecoder.Segment segment, int axes, TensorScope owner) {
    this.owner = owner;
    this.position =
        ByteBuffer.allocateDirect(axes * Long.BYTES).order(ByteOrder.nativeOrder()).asLongBuffer();
    String positions = segment.spec().arriving(DecoderGraph.POSITIONS);
    String types = segment.spec().arriving(DecoderGraph.TOKEN_TYPES);
    try {
      for (String name : segment.session().inputs()) {
        if (name.equals(positions)) {
          long[] shape = axes == 1 ? new long[] {1, 1} : new long[] {axes, 1, 1};
          given.put(name, owner.longs(position, shape));
        } else if (name.equals(types)) {
          given.put(name, owner.indices(FIRST, 1, 1));
        } else if (name.equals(SegmentModel.KEEP) || RowInput.parse(name).isPresent()) {
          given.put(name, owner.indices(FIRST, 1));
        } else if (name.equals(DecoderGraph.LOGITS_TO_KEEP)) {
          given.put(name, SegmentState.one(owner, segment.session()));
        }
      }
      if (segment.spec().seam() == Seam.MERGE) {
        MergeMatrix.NONE.give(owner, given);
      }
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /**
   * All that is given beside cache, mask and hidden states. The map may be added to; what is there
   * already is replaced.
   *
   * @param single the position of the token
   */
  Map<String, OnnxTensor> at(RotaryPositions single) {
    for (int axis = 0; axis < position.capacity(); axis++) {
      position.put(axis, single.axes()[axis][0]);
    }
    return given;
  }

  /**
   * The same.
   *
   * @param everywhere the position of the token on all axes
   */
  Map<String, OnnxTensor> at(long everywhere) {
    for (int axis = 0; axis < position.capacity(); axis++) {
      position.put(axis, everywhere);
    }
    return given;
  }

  @Override
  public void close() {
    owner.close();
  }
}
