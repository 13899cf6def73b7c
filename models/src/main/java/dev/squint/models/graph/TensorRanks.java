package dev.squint.models.graph;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;

/**
 * Numbers of axes, followed back to the nearest declared shape, transposition or reshape. Enough to
 * tell attention maps with an axis for the batch from those without.
 */
record TensorRanks(OnnxGraph graph) {

  static final int UNKNOWN = 0;

  int of(String tensor) {
    String name = tensor;
    while (!name.isEmpty()) {
      ValueInfoProto declared = graph.value(name);
      if (declared != null && declared.getType().getTensorType().hasShape()) {
        return declared.getType().getTensorType().getShape().getDimCount();
      }
      int producer = graph.producer(name);
      if (producer < 0) {
        return graph.initializer(name) == null ? UNKNOWN : graph.initializer(name).getDimsCount();
      }
      NodeProto node = graph.nodes().get(producer);
      switch (node.getOpType()) {
        case "Transpose":
          return node.getAttributeCount() == 0 ? UNKNOWN : node.getAttribute(0).getIntsCount();
        case "Reshape":
          return length(node.getInput(1));
        case "Softmax", "Mul", "Div", "MatMul", "Cast", "Sub", "Identity", "FusedMatMul":
          name = node.getInput(0);
          break;
        case "Add":
          name = node.getInput(graph.initializer(node.getInput(0)) == null ? 0 : 1);
          break;
        default:
          return UNKNOWN;
      }
    }
    return UNKNOWN;
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
