package dev.squint.models.graph;

import java.util.List;

/**
 * Attention spelled out in the graph: the probabilities are there already.
 *
 * @param node the Softmax
 * @param output its output, {@code [B, heads, tokens, keys]}
 * @param batched whether the output has the axis B; without it there is one picture or prompt
 */
record SoftmaxAttention(int node, String output, boolean batched) implements AttentionSite {

  private static final int WITHOUT_BATCH = 3;

  static SoftmaxAttention read(OnnxGraph graph, int index) {
    String output = graph.nodes().get(index).getOutput(0);
    return new SoftmaxAttention(index, output, new TensorRanks(graph).of(output) != WITHOUT_BATCH);
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
    String all =
        batched
            ? chosen
            : nodes.op(
                "Reshape", chosen, nodes.concat(0, nodes.constant(1), nodes.op("Shape", chosen)));
    return nodes.floats(all);
  }
}
