package dev.squint.models.graph;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import java.util.Arrays;
import java.util.List;

/**
 * Appends nodes of our own to a graph; every name starts with {@code squint.} so that it meets no
 * exporter's name.
 */
final class GraphNodes {

  static final int FLOAT = TensorProto.DataType.FLOAT.getNumber();
  static final int INT64 = TensorProto.DataType.INT64.getNumber();

  private final GraphProto.Builder graph;
  private final int opset;
  private int count;

  GraphNodes(GraphProto.Builder graph, int opset) {
    this.graph = graph;
    this.opset = opset;
  }

  String constant(long... values) {
    String name = fresh();
    graph.addInitializer(
        TensorProto.newBuilder()
            .setName(name)
            .setDataType(INT64)
            .addDims(values.length)
            .addAllInt64Data(Arrays.stream(values).boxed().toList()));
    return name;
  }

  String fresh() {
    return "squint." + count++;
  }

  void gather(String data, String indices, int axis, String output) {
    add(node("Gather", List.of(data, indices), output).addAttribute(integer("axis", axis)));
  }

  void identity(String input, String output) {
    add(node("Identity", List.of(input), output));
  }

  void op(String type, List<String> inputs, String output) {
    add(node(type, inputs, output));
  }

  void cast(String input, int type, String output) {
    add(node("Cast", List.of(input), output).addAttribute(integer("to", type)));
  }

  /** Mean over the given axes, which vanish. Since opset 18 the axes are an input. */
  void mean(String input, String output, long... axes) {
    AttributeProto keep = integer("keepdims", 0);
    if (opset >= 18) {
      add(node("ReduceMean", List.of(input, constant(axes)), output).addAttribute(keep));
    } else {
      AttributeProto.Builder list =
          AttributeProto.newBuilder().setName("axes").setType(AttributeProto.AttributeType.INTS);
      Arrays.stream(axes).forEach(list::addInts);
      add(node("ReduceMean", List.of(input), output).addAttribute(keep).addAttribute(list));
    }
  }

  void add(NodeProto.Builder node) {
    graph.addNode(node.setName(fresh()));
  }

  private static NodeProto.Builder node(String type, List<String> inputs, String output) {
    return NodeProto.newBuilder().setOpType(type).addAllInput(inputs).addOutput(output);
  }

  private static AttributeProto integer(String name, long value) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeProto.AttributeType.INT)
        .setI(value)
        .build();
  }

  /**
   * A value of a type whose dimensions are numbers ({@code Long}), symbols ({@code String}) or open
   * ({@code ""}).
   */
  static ValueInfoProto value(String name, int elementType, Object... dimensions) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    for (Object dimension : dimensions) {
      TensorShapeProto.Dimension.Builder dim = TensorShapeProto.Dimension.newBuilder();
      if (dimension instanceof Long size && size >= 0) {
        dim.setDimValue(size);
      } else if (dimension instanceof String symbol && !symbol.isEmpty()) {
        dim.setDimParam(symbol);
      }
      shape.addDim(dim);
    }
    return ValueInfoProto.newBuilder()
        .setName(name)
        .setType(
            TypeProto.newBuilder()
                .setTensorType(
                    TypeProto.Tensor.newBuilder().setElemType(elementType).setShape(shape)))
        .build();
  }

  /** A value known by its element type only. */
  static ValueInfoProto shapeless(String name, int elementType) {
    return ValueInfoProto.newBuilder()
        .setName(name)
        .setType(
            TypeProto.newBuilder()
                .setTensorType(TypeProto.Tensor.newBuilder().setElemType(elementType)))
        .build();
  }
}
