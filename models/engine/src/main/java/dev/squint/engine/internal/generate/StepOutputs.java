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
import java.util.Optional;

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
    Optional<ByteBuffer> first = Optional.empty();
    try {
      for (int i = 0; i < names.size(); i++) {
        TensorInfo info = like.get(i).getInfo();
        ByteBuffer memory = memory(info);
        first = i == 0 ? Optional.of(memory) : first;
        OnnxTensor tensor = owner.bytes(info.type, memory, info.getShape());
        tensors.add(tensor);
        written.put(names.get(i), tensor);
      }
      this.output = new SegmentState.Output(tensors, Map.of(), first);
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /** A tensor of the type and shape of another. */
  static OnnxTensor another(OnnxTensor like, TensorScope owner) {
    TensorInfo info = like.getInfo();
    return owner.bytes(info.type, memory(info), info.getShape());
  }

  private static ByteBuffer memory(TensorInfo info) {
    return ByteBuffer.allocateDirect(Math.toIntExact(info.getNumElements() * info.type.size))
        .order(ByteOrder.nativeOrder());
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
