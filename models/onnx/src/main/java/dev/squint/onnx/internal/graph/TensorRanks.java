package dev.squint.onnx.internal.graph;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;

/**
 * Numbers of axes, followed back to the nearest declared shape, transposition or reshape. Enough to
 * tell attention maps with an axis for the batch from those without.
 */
public final class TensorRanks {

  static final int UNKNOWN = 0;

  private final OnnxGraph graph;

  /** By node, the rank of what it returns where that is not declared. */
  private final int[] ranks;

  TensorRanks(OnnxGraph graph) {
    this.graph = graph;
    this.ranks = new int[graph.nodes().size()];
    for (int i = 0; i < ranks.length; i++) {
      ranks[i] = rank(graph.nodes().get(i));
    }
  }

  public int of(String tensor) {
    ValueInfoProto declared = graph.value(tensor);
    if (declared != null && declared.getType().getTensorType().hasShape()) {
      return declared.getType().getTensorType().getShape().getDimCount();
    }
    int producer = graph.producer(tensor);
    if (producer >= 0) {
      return ranks[producer];
    }
    return graph.initializer(tensor) == null ? UNKNOWN : graph.initializer(tensor).getDimsCount();
  }

  private int rank(NodeProto node) {
    String first = Attributes.input(node, 0);
    return switch (node.getOpType()) {
      case "Transpose" ->
          node.getAttributeCount() == 0 ? UNKNOWN : node.getAttribute(0).getIntsCount();
      case "Reshape" -> length(Attributes.input(node, 1));
      case "Softmax", "Mul", "Div", "MatMul", "Cast", "Sub", "Identity", "FusedMatMul" -> of(first);
      case "Add" -> of(graph.initializer(first) == null ? first : Attributes.input(node, 1));
      default -> UNKNOWN;
    };
  }

  /** How many numbers a vector of sizes holds. */
  private int length(String sizes) {
    TensorProto constant = graph.initializer(sizes);
    int producer = graph.producer(sizes);
    if (constant == null && producer >= 0) {
      NodeProto node = graph.nodes().get(producer);
      if (node.getOpType().equals("Concat")) {
        return node.getInputCount();
      }
      constant =
          node.getAttributeList().stream()
              .filter(a -> node.getOpType().equals("Constant") && a.getName().equals("value"))
              .map(AttributeProto::getT)
              .findFirst()
              .orElse(null);
    }
    return constant == null || constant.getDimsCount() != 1 ? UNKNOWN : (int) constant.getDims(0);
  }
}
