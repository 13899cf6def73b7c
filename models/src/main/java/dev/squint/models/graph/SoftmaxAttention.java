package dev.squint.models.graph;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.squint.models.ModelException;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Attention spelled out in the graph: the probabilities are there already.
 *
 * @param node the Softmax
 * @param output its output, {@code [B, heads, tokens, keys]}
 * @param batched whether the output has the axis B; without it there is one picture or prompt
 */
record SoftmaxAttention(int node, String output, boolean batched) implements AttentionSite {

  private static final int WITHOUT_BATCH = 3;
  private static final Set<String> PRODUCTS = Set.of("MatMul", "FusedMatMul");
  private static final Set<String> SCORES_PASS =
      Set.of("Add", "Mul", "Div", "Cast", "Where", "Reshape", "Identity");

  static SoftmaxAttention read(OnnxGraph graph, int index) {
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
  public String probabilities(GraphNodes nodes, String rows) {
    String chosen = nodes.gather(output, rows, -2);
    return nodes.floats(withBatch(nodes, chosen));
  }

  @Override
  public String keys(OnnxGraph graph, GraphNodes nodes) {
    NodeProto product =
        product(graph, Attributes.input(graph.nodes().get(node), 0))
            .filter(found -> !Attributes.input(found, 1).isEmpty())
            .orElseThrow(
                () ->
                    new ModelException(
                        "%s: the keys of the attention at node %s were not found; choose a strategy that does not compare keys"
                            .formatted(graph.file(), OnnxGraph.label(graph.nodes().get(node)))));
    boolean tokensFirst = new Attributes(product).integer("transB", 0) > 0;
    String keys = withBatch(nodes, nodes.floats(Attributes.input(product, 1)));
    return tokensFirst ? keys : nodes.transpose(keys, 0, 1, 3, 2);
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
