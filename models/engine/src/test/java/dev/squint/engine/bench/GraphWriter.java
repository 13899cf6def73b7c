package dev.squint.engine.bench;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** Writes an ONNX graph node by node. */
final class GraphWriter {

  static final String MICROSOFT = "com.microsoft";
  static final int INT32 = TensorProto.DataType.INT32.getNumber();
  static final int INT64 = TensorProto.DataType.INT64.getNumber();
  static final int FLOAT = TensorProto.DataType.FLOAT.getNumber();
  static final int BOOL = TensorProto.DataType.BOOL.getNumber();

  private final GraphProto.Builder graph = GraphProto.newBuilder().setName("main_graph");
  private int constants;

  /** An input or output whose dimensions are numbers (Long) or symbols (String). */
  private static ValueInfoProto value(String name, int type, Object... dimensions) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    for (Object dimension : dimensions) {
      shape.addDim(
          dimension instanceof Number size
              ? TensorShapeProto.Dimension.newBuilder().setDimValue(size.longValue())
              : TensorShapeProto.Dimension.newBuilder().setDimParam((String) dimension));
    }
    return ValueInfoProto.newBuilder()
        .setName(name)
        .setType(
            TypeProto.newBuilder()
                .setTensorType(TypeProto.Tensor.newBuilder().setElemType(type).setShape(shape)))
        .build();
  }

  String input(String name, int type, Object... dimensions) {
    graph.addInput(value(name, type, dimensions));
    return name;
  }

  void output(String name, int type, Object... dimensions) {
    graph.addOutput(value(name, type, dimensions));
  }

  String weight(TensorProto tensor) {
    graph.addInitializer(tensor);
    return tensor.getName();
  }

  /** An int64 vector inside the graph. */
  String longs(long... values) {
    return weight(
        TensorProto.newBuilder()
            .setName("constant_" + constants++)
            .setDataType(INT64)
            .addDims(values.length)
            .addAllInt64Data(Arrays.stream(values).boxed().toList())
            .build());
  }

  /** An int64 number inside the graph. */
  String scalar(long value) {
    return weight(
        TensorProto.newBuilder()
            .setName("constant_" + constants++)
            .setDataType(INT64)
            .addInt64Data(value)
            .build());
  }

  /** A float32 number inside the graph. */
  String scalar(float value) {
    return weight(
        TensorProto.newBuilder()
            .setName("constant_" + constants++)
            .setDataType(FLOAT)
            .addFloatData(value)
            .build());
  }

  /** A node with one output, {@code NAME_output_0}. */
  String node(String op, String name, List<String> inputs, AttributeProto... attributes) {
    return node(op, name, inputs, name + "_output_0", attributes);
  }

  String node(
      String op, String name, List<String> inputs, String output, AttributeProto... attributes) {
    node("", op, name, inputs, List.of(output), attributes);
    return output;
  }

  void node(
      String domain,
      String op,
      String name,
      List<String> inputs,
      List<String> outputs,
      AttributeProto... attributes) {
    graph.addNode(
        NodeProto.newBuilder()
            .setDomain(domain)
            .setOpType(op)
            .setName(name)
            .addAllInput(inputs)
            .addAllOutput(outputs)
            .addAllAttribute(List.of(attributes)));
  }

  static AttributeProto attribute(String name, long value) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeProto.AttributeType.INT)
        .setI(value)
        .build();
  }

  static AttributeProto attribute(String name, float value) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeProto.AttributeType.FLOAT)
        .setF(value)
        .build();
  }

  static AttributeProto list(String name, long... values) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeProto.AttributeType.INTS)
        .addAllInts(Arrays.stream(values).boxed().toList())
        .build();
  }

  void save(Path file, String producer, int opset, int irVersion) throws IOException {
    ModelProto model =
        ModelProto.newBuilder()
            .setIrVersion(irVersion)
            .setProducerName(producer)
            .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(opset))
            .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain(MICROSOFT).setVersion(1))
            .setGraph(graph)
            .build();
    Files.write(file, model.toByteArray());
  }
}
