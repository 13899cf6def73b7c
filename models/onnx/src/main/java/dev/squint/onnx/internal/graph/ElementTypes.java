package dev.squint.onnx.internal.graph;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.ValueInfoProto;

/**
 * Element types of the tensors of a graph, followed back to the nearest declared value, weight,
 * graph input or operator whose result type is its own. Exporters leave most of them undeclared.
 */
public final class ElementTypes {

  public static final int UNKNOWN = 0;
  public static final int BOOL = DataType.BOOL.getNumber();

  private final OnnxGraph graph;

  /** By node, the type of what it returns where that is not declared. */
  private final int[] types;

  ElementTypes(OnnxGraph graph) {
    this.graph = graph;
    this.types = new int[graph.nodes().size()];
    for (int i = 0; i < types.length; i++) {
      NodeProto node = graph.nodes().get(i);
      int own = ownType(node);
      types[i] = own != UNKNOWN ? own : of(Attributes.input(node, typeGivingInput(node)));
    }
  }

  /** The ONNX element type of a tensor, {@link #UNKNOWN} if it cannot be told. */
  public int of(String tensor) {
    int declared = declared(tensor);
    int producer = graph.producer(tensor);
    return declared != UNKNOWN || producer < 0 ? declared : types[producer];
  }

  private int declared(String name) {
    if (graph.initializer(name) != null) {
      return graph.initializer(name).getDataType();
    }
    ValueInfoProto value =
        graph.inputs().containsKey(name)
            ? graph.inputs().get(name)
            : graph.outputs().getOrDefault(name, graph.value(name));
    return value == null ? UNKNOWN : value.getType().getTensorType().getElemType();
  }

  private static int ownType(NodeProto node) {
    return switch (node.getOpType()) {
      case "Shape", "Size", "ArgMax", "ArgMin", "NonZero" -> DataType.INT64.getNumber();
      case "Equal",
          "Greater",
          "GreaterOrEqual",
          "Less",
          "LessOrEqual",
          "And",
          "Or",
          "Xor",
          "Not",
          "IsNaN",
          "IsInf" ->
          BOOL;
      case "MatMulInteger" -> DataType.INT32.getNumber();
      case "Cast", "Constant", "ConstantOfShape" -> attributeType(node);
      default -> UNKNOWN;
    };
  }

  private static int attributeType(NodeProto node) {
    for (AttributeProto attribute : node.getAttributeList()) {
      switch (attribute.getName()) {
        case "to":
          return (int) attribute.getI();
        case "value":
          return attribute.getT().getDataType();
        case "value_int", "value_ints":
          return DataType.INT64.getNumber();
        default:
          break;
      }
    }
    return DataType.FLOAT.getNumber();
  }

  private static int typeGivingInput(NodeProto node) {
    return switch (node.getOpType()) {
      case "Where", "DequantizeLinear" -> 1;
      case "ScatterND" -> 2;
      default -> 0;
    };
  }
}
