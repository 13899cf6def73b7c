package dev.squint.onnx.internal.graph;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The size of a matrix of weights that a node multiplies by, whatever it is written as.
 *
 * @param rows how many numbers go in
 * @param columns how many come out
 */
public record Matrix(long rows, long columns) {

  private static final int RANK = 2;

  private static final Set<String> PRODUCTS =
      Set.of(
          "MatMul",
          "FusedMatMul",
          "Gemm",
          "MatMulInteger",
          "MatMulIntegerToFloat",
          "DynamicQuantizeMatMul");

  /** What stands between a stored matrix and its product. */
  private static final Set<String> UNPACKS =
      Set.of("DequantizeLinear", "Cast", "Identity", "Transpose");

  /** What hidden states pass on their way to the next matrix without changing their width. */
  private static final Set<String> PASSES =
      Set.of(
          "MatMul",
          "FusedMatMul",
          "Transpose",
          "Reshape",
          "Squeeze",
          "Unsqueeze",
          "Cast",
          "Identity",
          "Dropout",
          "Mul",
          "Add",
          "Where",
          "DynamicQuantizeLinear");

  /** The matrix of a node, if it has one whose size is written down. */
  public static Optional<Matrix> of(OnnxGraph graph, NodeProto node) {
    Attributes attributes = new Attributes(node);
    if (node.getOpType().equals("MatMulNBits")) {
      long rows = attributes.integer("K", 0);
      long columns = attributes.integer("N", 0);
      return rows > 0 && columns > 0 ? Optional.of(new Matrix(rows, columns)) : Optional.empty();
    }
    if (!PRODUCTS.contains(node.getOpType())) {
      return Optional.empty();
    }
    return stored(graph, attributes.input(1))
        .map(found -> attributes.integer("transB", 0) > 0 ? found.turned() : found);
  }

  private static Optional<Matrix> stored(OnnxGraph graph, String tensor) {
    String name = tensor;
    boolean turned = false;
    TensorProto weight = graph.initializer(name);
    for (int node = graph.producer(name); weight == null && node >= 0; ) {
      NodeProto above = graph.nodes().get(node);
      if (!UNPACKS.contains(above.getOpType())) {
        return Optional.empty();
      }
      turned ^= above.getOpType().equals("Transpose");
      name = Attributes.input(above, 0);
      weight = graph.initializer(name);
      node = graph.producer(name);
    }
    if (weight == null || weight.getDimsCount() != RANK) {
      return Optional.empty();
    }
    Matrix found = new Matrix(weight.getDims(0), weight.getDims(1));
    return Optional.of(turned ? found.turned() : found);
  }

  @SuppressWarnings("ArgumentSelectionDefectChecker")
  private Matrix turned() {
    return new Matrix(columns, rows);
  }

  /** The first matrices that a tensor is multiplied by, nearest first. */
  public static Optional<Matrix> after(OnnxGraph graph, String tensor) {
    BitSet reached = new BitSet();
    reach(graph, List.of(tensor), reached);
    // Topological order: nothing that is reached later stands before the node looked at.
    for (int i = reached.nextSetBit(0); i >= 0; i = reached.nextSetBit(i + 1)) {
      NodeProto node = graph.nodes().get(i);
      Optional<Matrix> found = of(graph, node);
      if (found.isPresent()) {
        return found;
      }
      if (PASSES.contains(node.getOpType())) {
        reach(graph, node.getOutputList(), reached);
      }
    }
    return Optional.empty();
  }

  private static void reach(OnnxGraph graph, List<String> tensors, BitSet reached) {
    for (String tensor : tensors) {
      if (!tensor.isEmpty()) {
        graph.readers(tensor).forEach(reached::set);
      }
    }
  }
}
