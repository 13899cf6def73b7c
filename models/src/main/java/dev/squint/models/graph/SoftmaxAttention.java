package dev.squint.models.graph;

import java.util.List;

/**
 * Attention spelled out in the graph: the probabilities are there already.
 *
 * @param node the Softmax
 * @param output its output, {@code [B, heads, tokens, keys]}
 */
record SoftmaxAttention(int node, String output) implements AttentionSite {

  @Override
  public String encoding() {
    return "Softmax";
  }

  @Override
  public List<String> reads() {
    return List.of(output);
  }

  @Override
  public String probabilities(GraphNodes nodes, String rows) {
    return nodes.floats(nodes.gather(output, rows, 2));
  }
}
