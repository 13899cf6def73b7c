package dev.squint.onnx.internal.decoder;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.squint.error.ModelException;
import dev.squint.onnx.internal.graph.Attributes;
import dev.squint.onnx.internal.graph.GraphNodes;
import dev.squint.onnx.internal.graph.OnnxGraph;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The norm between the last layer and the output matrix.
 *
 * @param graph where it is
 * @param sum the node that ends the residual stream, by itself or fused with the norm
 * @param output what the output matrix reads
 */
record FinalNorm(OnnxGraph graph, int sum, String output) {

  private static final String FUSED_INPUT = "squint.residual";

  private static final Set<String> MATRICES =
      Set.of("MatMul", "Gemm", "MatMulNBits", "MatMulInteger", "DynamicQuantizeMatMul");

  /** What leaves the rows that need logits, between the norm and the output matrix. */
  private static final Set<String> CHOOSES_ROWS = Set.of("Slice", "Gather");

  /**
   * Finds it.
   *
   * @param stream the nodes that all of the residual stream passes
   * @param hidden the nodes that depend on the embeddings
   * @throws ModelException if it is not found
   */
  static FinalNorm find(OnnxGraph graph, BitSet stream, BitSet hidden) {
    List<NodeProto> nodes = graph.nodes();
    int matrix = stream.previousSetBit(graph.producer(DecoderGraph.LOGITS));
    while (matrix >= 0 && !MATRICES.contains(nodes.get(matrix).getOpType())) {
      matrix = stream.previousSetBit(matrix - 1);
    }
    int sum = matrix < 0 ? -1 : stream.previousSetBit(matrix - 1);
    while (sum >= 0 && !isSum(graph, nodes.get(sum), hidden)) {
      sum = stream.previousSetBit(sum - 1);
    }
    String output = matrix < 0 ? "" : Attributes.input(nodes.get(matrix), 0);
    while (graph.producer(output) >= 0
        && CHOOSES_ROWS.contains(nodes.get(graph.producer(output)).getOpType())) {
      output = Attributes.input(nodes.get(graph.producer(output)), 0);
    }
    if (sum < 0 || graph.producer(output) < 0) {
      throw new ModelException(
          "%s: the norm after the last layer was not found; choose a strategy that looks at hidden states as they are"
              .formatted(graph.file()));
    }
    return new FinalNorm(graph, sum, output);
  }

  private boolean isFused() {
    return !MergingSeam.plain(graph.nodes().get(sum)).isEmpty();
  }

  private String input() {
    return isFused() ? FUSED_INPUT : Attributes.output(graph.nodes().get(sum), 0);
  }

  /** Whether a node adds what a part of a layer computed to the residual stream. */
  static boolean isSum(OnnxGraph graph, NodeProto node, BitSet hidden) {
    return !MergingSeam.plain(node).isEmpty()
        || (node.getOpType().equals("Add")
            && node.getInputList().stream()
                .allMatch(
                    input ->
                        input.equals(DecoderGraph.EMBEDS)
                            || (graph.producer(input) >= 0 && hidden.get(graph.producer(input)))));
  }

  /** Weights that it reads. */
  Set<String> weights() {
    Set<String> weights = new TreeSet<>();
    for (NodeProto node : nodes()) {
      OnnxGraph.reads(node).stream()
          .filter(name -> graph.initializer(name) != null)
          .forEach(weights::add);
    }
    return weights;
  }

  /** The nodes it consists of, in order. Where it is fused with the last sum, that node alone. */
  private List<NodeProto> nodes() {
    if (isFused()) {
      return List.of(MergingSeam.norm(graph.nodes().get(sum), FUSED_INPUT, output).build());
    }
    Set<Integer> needed = new TreeSet<>();
    Deque<String> work = new ArrayDeque<>(List.of(output));
    while (!work.isEmpty()) {
      String tensor = work.pop();
      int producer = graph.producer(tensor);
      if (!tensor.equals(input()) && producer >= 0 && needed.add(producer)) {
        work.addAll(OnnxGraph.reads(graph.nodes().get(producer)));
      }
    }
    List<NodeProto> nodes = new ArrayList<>();
    needed.forEach(i -> nodes.add(graph.nodes().get(i)));
    return Collections.unmodifiableList(nodes);
  }

  /** Appends the norm of some hidden states; returns the tensor it computes. */
  String append(GraphNodes out, String states) {
    Map<String, String> names = new HashMap<>(Map.of(input(), states));
    for (NodeProto node : nodes()) {
      NodeProto.Builder copy = node.toBuilder();
      for (int i = 0; i < copy.getInputCount(); i++) {
        copy.setInput(i, names.getOrDefault(copy.getInput(i), copy.getInput(i)));
      }
      for (int i = 0; i < copy.getOutputCount(); i++) {
        if (!copy.getOutput(i).isEmpty()) {
          names.put(copy.getOutput(i), out.fresh());
          copy.setOutput(i, names.get(copy.getOutput(i)));
        }
      }
      out.add(copy);
    }
    return names.get(output);
  }
}
