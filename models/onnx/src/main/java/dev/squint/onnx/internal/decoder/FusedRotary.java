package dev.squint.onnx.internal.decoder;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.squint.onnx.internal.graph.Attributes;
import dev.squint.onnx.internal.graph.GraphNodes;
import dev.squint.onnx.internal.graph.OnnxGraph;
import java.util.List;

/**
 * Moves the rotation by positions out of a {@code GroupQueryAttention}. Inside, positions count on
 * from the length of the KV cache, so that tokens which outlive others would slide together;
 * outside, every token is turned by the position given for it.
 */
final class FusedRotary {

  private static final int VALUE = 2;

  /** Input of the cosines; that of the sines follows. */
  static final int COS = 7;

  /** Input of positions. */
  static final int POSITIONS = 9;

  private FusedRotary() {}

  static boolean isIn(NodeProto node) {
    return node.getOpType().equals("GroupQueryAttention")
        && new Attributes(node).integer("do_rotary", 0) == 1;
  }

  /**
   * Appends the attention with its rotation before it.
   *
   * @param positions tensor of the positions, int64 {@code [1, tokens]}
   * @return the turned queries, {@code [B, tokens, heads * width]}
   */
  static String unfuse(OnnxGraph graph, NodeProto node, GraphNodes nodes, String positions) {
    Attributes old = new Attributes(node);
    long heads = old.integer("num_heads", 1);
    long kvHeads = old.integer("kv_num_heads", heads);
    String query = old.input(0);
    String key = old.input(1);
    String value = old.input(VALUE);
    if (key.isEmpty()) {
      String apart = nodes.reshape(query, 0, 0, heads + 2 * kvHeads, -1);
      query = together(nodes, apart, 0, heads);
      key = together(nodes, apart, heads, heads + kvHeads);
      value = together(nodes, apart, heads + kvHeads, heads + 2 * kvHeads);
    }
    String turnedQuery = turned(graph, old, nodes, query, heads, positions);
    String turnedKey = turned(graph, old, nodes, key, kvHeads, positions);
    NodeProto.Builder plain = GraphNodes.give(node.toBuilder(), VALUE, value);
    plain.setInput(0, turnedQuery).setInput(1, turnedKey);
    for (int i = COS; i < Math.min(plain.getInputCount(), POSITIONS + 1); i++) {
      plain.setInput(i, "");
    }
    for (int i = 0; i < plain.getAttributeCount(); i++) {
      if (plain.getAttribute(i).getName().equals("do_rotary")) {
        plain.setAttribute(i, GraphNodes.integer("do_rotary", 0));
      }
    }
    nodes.copy(plain);
    return turnedQuery;
  }

  private static String together(GraphNodes nodes, String apart, long from, long to) {
    return nodes.reshape(nodes.slice(apart, from, to, 2), 0, 0, -1);
  }

  private static String turned(
      OnnxGraph graph,
      Attributes old,
      GraphNodes nodes,
      String vectors,
      long heads,
      String positions) {
    String output = nodes.fresh();
    NodeProto.Builder turn =
        GraphNodes.node(
                "RotaryEmbedding",
                List.of(vectors, positions, old.input(COS), old.input(COS + 1)),
                output)
            .setDomain(GraphNodes.MICROSOFT)
            .addAttribute(GraphNodes.integer("interleaved", old.integer("rotary_interleaved", 0)));
    TensorProto cos = graph.initializer(old.input(COS));
    if (cos != null && cos.getDimsCount() == 2) {
      turn.addAttribute(GraphNodes.integer("num_heads", heads))
          .addAttribute(GraphNodes.integer("rotary_embedding_dim", 2 * cos.getDims(1)));
    }
    nodes.add(turn);
    return output;
  }
}
