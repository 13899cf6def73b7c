package dev.squint.onnx.internal.graph;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The weights of a graph that lie outside of its message and are the right hand side of matrix
 * products and nothing else, with the scales and zero points of quantised ones. ONNX Runtime lays
 * matrices out anew and computes nothing else of them beforehand, so that several sessions can use
 * one copy.
 */
public final class MatrixWeights {

  /** A page; smaller ones are not worth a mapping of their own. */
  private static final long LEAST_BYTES = 4 << 10;

  /** What a mapping holds at most. */
  private static final long MOST_BYTES = Integer.MAX_VALUE;

  private static final int FLOAT = TensorProto.DataType.FLOAT.getNumber();
  private static final int UINT8 = TensorProto.DataType.UINT8.getNumber();
  private static final int INT8 = TensorProto.DataType.INT8.getNumber();

  /** Inputs of operators, and the element types that the processor takes as they are. */
  private static final Map<String, Map<Integer, Set<Integer>>> INPUTS =
      Map.of(
          "MatMul", Map.of(1, Set.of(FLOAT)),
          "Gemm", Map.of(1, Set.of(FLOAT)),
          "MatMulNBits", Map.of(1, Set.of(UINT8), 2, Set.of(FLOAT), 3, Set.of(UINT8)),
          "MatMulInteger", Map.of(1, Set.of(UINT8, INT8)),
          "DynamicQuantizeMatMul", Map.of(1, Set.of(UINT8, INT8)));

  private MatrixWeights() {}

  /**
   * A weight.
   *
   * @param name its name in the graph
   * @param file where it lies
   * @param offset where it begins, bytes
   * @param bytes how long it is
   * @param elementType its ONNX element type
   * @param shape its shape
   */
  public record Weight(
      String name, Path file, long offset, long bytes, int elementType, List<Long> shape) {}

  /**
   * Finds them.
   *
   * @param model a model whose external data is known to be there
   * @param folder what its locations are relative to
   */
  public static List<Weight> of(ModelProto model, Path folder) {
    GraphProto graph = model.getGraph();
    Map<String, Set<Integer>> types = new HashMap<>();
    Set<String> others = new HashSet<>();
    graph.getInputList().stream().map(ValueInfoProto::getName).forEach(others::add);
    graph.getOutputList().stream().map(ValueInfoProto::getName).forEach(others::add);
    for (NodeProto node : graph.getNodeList()) {
      Map<Integer, Set<Integer>> matrices = INPUTS.getOrDefault(node.getOpType(), Map.of());
      for (int i = 0; i < node.getInputCount(); i++) {
        Set<Integer> taken = matrices.get(i);
        if (taken == null) {
          others.add(node.getInput(i));
        } else {
          types.merge(node.getInput(i), taken, MatrixWeights::both);
        }
      }
      readInside(node, others);
    }
    List<Weight> weights = new ArrayList<>();
    for (TensorProto weight : graph.getInitializerList()) {
      boolean product =
          types.getOrDefault(weight.getName(), Set.of()).contains(weight.getDataType())
              && !others.contains(weight.getName());
      if (product && weight.getDataLocation() == TensorProto.DataLocation.EXTERNAL) {
        long bytes = bytes(weight);
        long offset = offset(weight);
        if (bytes >= LEAST_BYTES && bytes <= MOST_BYTES) {
          Path file = folder.resolve(ExternalData.entry(weight, ExternalData.LOCATION));
          weights.add(
              new Weight(
                  weight.getName(),
                  file.toAbsolutePath().normalize(),
                  offset,
                  bytes,
                  weight.getDataType(),
                  List.copyOf(weight.getDimsList())));
        }
      }
    }
    return weights;
  }

  /**
   * The share of a graph's external weights that they are.
   *
   * @return 0 to 1, by bytes; 1 where there are none
   */
  public static double share(ModelProto model, Path folder) {
    long all =
        model.getGraph().getInitializerList().stream()
            .filter(weight -> weight.getDataLocation() == TensorProto.DataLocation.EXTERNAL)
            .mapToLong(MatrixWeights::bytes)
            .sum();
    long matrices = of(model, folder).stream().mapToLong(Weight::bytes).sum();
    return all == 0 ? 1 : (double) matrices / all;
  }

  private static Set<Integer> both(Set<Integer> one, Set<Integer> other) {
    Set<Integer> both = new HashSet<>(one);
    both.retainAll(other);
    return both;
  }

  /** A graph inside a node may read what is around it. */
  private static void readInside(NodeProto node, Set<String> read) {
    for (AttributeProto attribute : node.getAttributeList()) {
      List<GraphProto> inner = new ArrayList<>(attribute.getGraphsList());
      if (attribute.hasG()) {
        inner.add(attribute.getG());
      }
      for (GraphProto graph : inner) {
        graph.getOutputList().stream().map(ValueInfoProto::getName).forEach(read::add);
        for (NodeProto part : graph.getNodeList()) {
          read.addAll(part.getInputList());
          readInside(part, read);
        }
      }
    }
  }

  private static long bytes(TensorProto weight) {
    int bits = Math.max(0, ElementSize.bits(weight.getDataType()));
    long elements = ElementSize.elements(weight).orElse(0);
    return ElementSize.bytes(elements, bits).orElse(Long.MAX_VALUE);
  }

  private static long offset(TensorProto weight) {
    String offset = ExternalData.entry(weight, ExternalData.OFFSET);
    return offset.isEmpty() ? 0 : Long.parseLong(offset);
  }
}
