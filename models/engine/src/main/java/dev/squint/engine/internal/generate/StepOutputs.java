package dev.squint.engine.internal.generate;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.TensorInfo;
import dev.squint.engine.internal.ort.TensorScope;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What a segment returns for one token, made once; every step writes over it. */
final class StepOutputs implements AutoCloseable {

  private final TensorScope owner;
  private final Map<String, OnnxTensor> written = new HashMap<>();
  private final SegmentState.Output output;

  /**
   * @param names what is returned
   * @param like what a step has returned, which has the types and shapes
   * @param owner closed with this
   */
  StepOutputs(List<String> names, List<OnnxTensor> like, TensorScope owner) {
    this.owner = owner;
    List<OnnxTensor> tensors = new ArrayList<>();
    this.output = new SegmentState.Output(tensors, Map.of());
    try {
      for (int i = 0; i < names.size(); i++) {
        OnnxTensor tensor = another(like.get(i), owner);
        tensors.add(tensor);
        written.put(names.get(i), tensor);
      }
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /** A tensor of the type and shape of another. */
  static OnnxTensor another(OnnxTensor like, TensorScope owner) {
    TensorInfo info = like.getInfo();
    ByteBuffer memory =
        ByteBuffer.allocateDirect(Math.toIntExact(info.getNumElements() * info.type.size))
            .order(ByteOrder.nativeOrder());
    return owner.bytes(info.type, memory, info.getShape());
  }

  /** What is returned. */
  SegmentState.Output output() {
    return output;
  }

  /** What to write into, by name. */
  Map<String, OnnxTensor> written() {
    return written;
  }

  /** Adds what is written into of a cache, in the place of what it was. */
  void writeInto(Map<String, OnnxTensor> cache) {
    written.putAll(cache);
  }

  @Override
  public void close() {
    owner.close();
  }
}
