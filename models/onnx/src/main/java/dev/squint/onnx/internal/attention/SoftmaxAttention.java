package dev.squint.onnx.internal.attention;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.squint.error.ModelException;
import dev.squint.onnx.internal.graph.Attributes;
import dev.squint.onnx.internal.graph.GraphNodes;
import dev.squint.onnx.internal.graph.OnnxGraph;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Attention spelled out in the graph: the probabilities are there already.
 *
 * @param node the Softmax
 * @param output its output, {@code [B, heads, tokens, keys]}
 * @param batched whether the output has the axis B; without it there is one image or prompt
 */
public record SoftmaxAttention(int node, String output, boolean batched) implements AttentionSite {

  private static final int WITHOUT_BATCH = 3;
  private static final Set<String> PRODUCTS = Set.of("MatMul", "FusedMatMul");
  private static final Set<String> SCORES_PASS =
      Set.of("Add", "Mul", "Div", "Tanh", "Cast", "Where", "Reshape", "Identity");
  private static final Set<String> PROBABILITIES_PASS =
      Set.of("Cast", "Where", "Reshape", "Identity", "Dropout");

  public static SoftmaxAttention read(OnnxGraph graph, int index) {
    NodeProto node = graph.nodes().get(index);
    String output = Attributes.output(node, 0);
    if (output.isEmpty() || Attributes.input(node, 0).isEmpty()) {
      throw new ModelException(
          "%s: the attention at node %s lacks its input or its output; the file is damaged, export it again"
              .formatted(graph.file(), OnnxGraph.label(node)));
    }
    return new SoftmaxAttention(index, output, graph.ranks().of(output) != WITHOUT_BATCH);
  }

  @Override
  public String encoding() {
    return "Softmax";
  }

  @Override
  public List<String> reads() {
    return List.of(output);
  }

  @Override
  public String tokens(GraphNodes nodes) {
    return nodes.size(output, batched ? 2 : 1);
  }

  @Override
  public String probabilities(GraphNodes nodes, Optional<String> rows) {
    String chosen = rows.map(r -> nodes.gather(output, r, -2)).orElse(output);
    return nodes.floats(withBatch(nodes, chosen));
  }

  @Override
  public List<String> queryReads(OnnxGraph graph) {
    return List.of(Attributes.input(scores(graph), 0));
  }

  @Override
  public String queries(OnnxGraph graph, GraphNodes nodes, Optional<String> rows) {
    NodeProto product = scores(graph);
    boolean tokensLast = new Attributes(product).integer("transA", 0) > 0;
    String tensor = Attributes.input(product, 0);
    requireHeads(graph, tensor, "queries");
    String chosen = rows.map(r -> nodes.gather(tensor, r, tokensLast ? -1 : -2)).orElse(tensor);
    String queries = withBatch(nodes, nodes.floats(chosen));
    return tokensLast ? nodes.transpose(queries, 0, 1, 3, 2) : queries;
  }

  @Override
  public String keys(OnnxGraph graph, GraphNodes nodes) {
    NodeProto product = scores(graph);
    boolean tokensFirst = new Attributes(product).integer("transB", 0) > 0;
    String keys = withBatch(nodes, nodes.floats(Attributes.input(product, 1)));
    return tokensFirst ? keys : nodes.transpose(keys, 0, 1, 3, 2);
  }

  @Override
  public String values(OnnxGraph graph, GraphNodes nodes) {
    NodeProto product = mix(graph).orElseThrow(() -> notFound(graph, "values"));
    boolean tokensLast = new Attributes(product).integer("transB", 0) > 0;
    requireHeads(graph, Attributes.input(product, 1), "values");
    String values = withBatch(nodes, nodes.floats(Attributes.input(product, 1)));
    return tokensLast ? nodes.transpose(values, 0, 1, 3, 2) : values;
  }

  private NodeProto scores(OnnxGraph graph) {
    return product(graph, Attributes.input(graph.nodes().get(node), 0))
        .filter(found -> !Attributes.input(found, 0).isEmpty())
        .filter(found -> !Attributes.input(found, 1).isEmpty())
        .orElseThrow(() -> notFound(graph, "queries and keys"));
  }

  /** The product of probabilities and values. */
  private Optional<NodeProto> mix(OnnxGraph graph) {
    Deque<String> work = new ArrayDeque<>(List.of(output));
    Set<String> seen = new HashSet<>();
    while (!work.isEmpty()) {
      String tensor = work.pop();
      for (int reader : graph.readers(tensor)) {
        NodeProto next = graph.nodes().get(reader);
        if (PRODUCTS.contains(next.getOpType()) && Attributes.input(next, 0).equals(tensor)) {
          return Optional.of(next).filter(found -> !Attributes.input(found, 1).isEmpty());
        }
        if (PROBABILITIES_PASS.contains(next.getOpType()) && seen.add(Attributes.output(next, 0))) {
          work.add(Attributes.output(next, 0));
        }
      }
    }
    return Optional.empty();
  }

  /** Vectors have the axes of the probabilities. */
  private void requireHeads(OnnxGraph graph, String tensor, String what) {
    int rank = graph.ranks().of(tensor);
    if (rank > 0 && rank != (batched ? WITHOUT_BATCH + 1 : WITHOUT_BATCH)) {
      throw notFound(graph, what);
    }
  }

  private ModelException notFound(OnnxGraph graph, String what) {
    return new ModelException(
        "%s: the %s of the attention at node %s were not found; choose a strategy that does not look at them"
            .formatted(graph.file(), what, OnnxGraph.label(graph.nodes().get(node))));
  }

  /** The product of queries and keys that the scores come from. */
  private static Optional<NodeProto> product(OnnxGraph graph, String scores) {
    int producer = graph.producer(scores);
    return producer < 0
        ? Optional.empty()
        : graph.search(
            producer,
            node -> Optional.of(node).filter(n -> PRODUCTS.contains(n.getOpType())),
            node -> SCORES_PASS.contains(node.getOpType()) ? graph.producers(node) : List.of());
  }

  private String withBatch(GraphNodes nodes, String tensor) {
    return batched
        ? tensor
        : nodes.op(
            "Reshape", tensor, nodes.concat(0, nodes.constant(1), nodes.op("Shape", tensor)));
  }
}
