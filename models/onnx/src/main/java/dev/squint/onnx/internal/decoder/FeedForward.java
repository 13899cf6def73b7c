package dev.squint.onnx.internal.decoder;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.squint.error.ModelException;
import dev.squint.onnx.internal.attention.FusedAttention;
import dev.squint.onnx.internal.graph.Attributes;
import dev.squint.onnx.internal.graph.OnnxGraph;
import dev.squint.onnx.internal.io.Printable;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The feed-forward part of a decoder layer, which follows its attention or runs beside it.
 *
 * @param activations the tensor that enters its last matrix, {@code [1, tokens, neurons]}
 */
public record FeedForward(String activations) {

  private static final Set<String> MATRICES =
      Set.of("MatMul", "Gemm", "MatMulNBits", "DynamicQuantizeMatMul");
  private static final Set<String> QUANTISED = Set.of("MatMulInteger", "MatMulIntegerToFloat");
  private static final Set<String> PASSES =
      Set.of(
          "Add",
          "Mul",
          "Cast",
          "Identity",
          "Reshape",
          "SimplifiedLayerNormalization",
          "RMSNormalization",
          "LayerNormalization");

  /**
   * Finds it in the sum that ends a layer.
   *
   * @param sum the residual stream after the layer
   * @param residual the nodes that all of the residual stream passes
   * @param hidden the nodes that depend on the embeddings
   * @throws ModelException if it is not found
   */
  public static FeedForward before(OnnxGraph graph, String sum, BitSet residual, BitSet hidden) {
    int from = residual.previousSetBit(graph.producer(sum));
    while (from >= 0 && !FinalNorm.isSum(graph, graph.nodes().get(from), hidden)) {
      from = residual.previousSetBit(from - 1);
    }
    List<String> inputs = from < 0 ? List.of() : graph.nodes().get(from).getInputList();
    for (String input : inputs) {
      int producer = graph.producer(input);
      if (producer >= 0 && hidden.get(producer) && !residual.get(producer)) {
        Optional<String> activations = activations(graph, producer, residual, hidden);
        if (activations.isPresent()) {
          return new FeedForward(activations.get());
        }
      }
    }
    throw new ModelException(
        "%s: the feed-forward that ends in '%s' was not found, so its neurons cannot be observed; choose a strategy that looks at attention"
            .formatted(graph.file(), Printable.of(sum)));
  }

  /** What the last matrix multiplies, in floating point. */
  private static Optional<String> activations(
      OnnxGraph graph, int from, BitSet residual, BitSet hidden) {
    return graph.search(
        from,
        node ->
            activations(graph, node)
                .filter(tensor -> graph.producer(tensor) >= 0)
                .filter(tensor -> !isAttended(graph, graph.producer(tensor), residual)),
        node ->
            PASSES.contains(node.getOpType())
                ? graph.producers(node).stream().filter(hidden::get).toList()
                : List.of());
  }

  /** Whether attention was paid on the way there from the residual stream. */
  private static boolean isAttended(OnnxGraph graph, int from, BitSet residual) {
    return graph
        .search(
            from,
            node -> Optional.of(node).filter(FeedForward::attends),
            node ->
                graph.producers(node).stream().filter(producer -> !residual.get(producer)).toList())
        .isPresent();
  }

  private static boolean attends(NodeProto node) {
    return node.getOpType().equals("Softmax") || FusedAttention.isOne(node);
  }

  private static Optional<String> activations(OnnxGraph graph, NodeProto matrix) {
    String input = Attributes.input(matrix, 0);
    if (MATRICES.contains(matrix.getOpType())) {
      return Optional.of(input);
    }
    if (!QUANTISED.contains(matrix.getOpType()) || graph.producer(input) < 0) {
      return Optional.empty();
    }
    return Optional.of(graph.nodes().get(graph.producer(input)))
        .filter(producer -> producer.getOpType().equals("DynamicQuantizeLinear"))
        .map(producer -> Attributes.input(producer, 0));
  }
}
