package dev.squint.onnx.internal.decoder;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.ByteString;
import dev.squint.onnx.internal.graph.ElementSize;
import dev.squint.onnx.internal.graph.GraphNodes;
import dev.squint.onnx.internal.graph.StandaloneModel;
import java.util.List;

/** The graph that makes room for tokens: zeros of some sizes. */
public final class RoomGraph {

  /** Input: int64 {@code [axes]}. */
  public static final String SIZES = "sizes";

  /** Output: zeros. */
  public static final String ROOM = "room";

  private static final String ZERO = "zero";

  private RoomGraph() {}

  /**
   * Writes the graph.
   *
   * @param type ONNX element type of the zeros
   * @return the serialised model
   */
  public static byte[] build(int type) {
    GraphProto.Builder graph = GraphProto.newBuilder().setName("squint-room");
    graph
        .addInput(GraphNodes.value(SIZES, GraphNodes.INT64, SIZES))
        .addInitializer(
            TensorProto.newBuilder()
                .setName(ZERO)
                .setDataType(type)
                .addDims(1)
                .setRawData(
                    ByteString.copyFrom(new byte[Math.max(1, ElementSize.bits(type) / Byte.SIZE)])))
        .addOutput(GraphNodes.shapeless(ROOM, type));
    new GraphNodes(graph, StandaloneModel.OPSET).op("Expand", List.of(ZERO, SIZES), ROOM);
    return StandaloneModel.bytes(graph);
  }
}
