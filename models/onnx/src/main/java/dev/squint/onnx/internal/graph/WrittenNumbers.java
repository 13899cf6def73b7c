package dev.squint.onnx.internal.graph;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Counts and sizes that a graph has written down, in weights and constants, so that they are known
 * before anything runs.
 *
 * @param outer those of the graph around
 * @param numbers those of the graph itself, by the name of their tensor
 */
public record WrittenNumbers(Optional<WrittenNumbers> outer, Map<String, long[]> numbers) {

  /** More axes than any tensor has. */
  static final int MOST = 64;

  public static WrittenNumbers in(Optional<WrittenNumbers> outer, GraphProto graph) {
    Map<String, long[]> numbers = new HashMap<>();
    for (TensorProto tensor : graph.getInitializerList()) {
      of(tensor).ifPresent(found -> numbers.put(tensor.getName(), found));
    }
    for (NodeProto node : graph.getNodeList()) {
      if (node.getOpType().equals("Constant")) {
        for (AttributeProto attribute : node.getAttributeList()) {
          of(attribute).ifPresent(found -> numbers.put(Attributes.output(node, 0), found));
        }
      }
    }
    return new WrittenNumbers(outer, numbers);
  }

  private static Optional<long[]> of(AttributeProto attribute) {
    if (attribute.hasI()) {
      return Optional.of(new long[] {attribute.getI()});
    }
    return attribute.getIntsCount() > 0
        ? Optional.of(attribute.getIntsList().stream().mapToLong(Long::longValue).toArray())
        : of(attribute.getT());
  }

  private static Optional<long[]> of(TensorProto tensor) {
    long count = ElementSize.elements(tensor).orElse(MOST + 1L);
    if (count < 1 || count > MOST) {
      return Optional.empty();
    }
    long[] found = new long[(int) count];
    var raw = tensor.getRawData();
    if (tensor.getInt64DataCount() == count) {
      for (int i = 0; i < count; i++) {
        found[i] = tensor.getInt64Data(i);
      }
    } else if (tensor.getInt32DataCount() == count) {
      for (int i = 0; i < count; i++) {
        found[i] = tensor.getInt32Data(i);
      }
    } else if (tensor.getDataType() == GraphNodes.INT64 && raw.size() == count * Long.BYTES) {
      raw.asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN).asLongBuffer().get(found);
    } else if (raw.size() == 1 && count == 1) {
      found[0] = raw.byteAt(0);
    } else {
      return Optional.empty();
    }
    return Optional.of(found);
  }

  /** All numbers of a tensor. */
  Optional<long[]> all(String tensor) {
    return Optional.ofNullable(numbers.get(tensor))
        .or(() -> outer.flatMap(around -> around.all(tensor)));
  }

  /** The number of a tensor that holds one. */
  public Optional<Long> one(String tensor) {
    return all(tensor).filter(found -> found.length == 1).map(found -> found[0]);
  }
}
