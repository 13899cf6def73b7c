package dev.squint.onnx.internal.attention;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.squint.error.ModelException;
import dev.squint.onnx.internal.attention.HeadVectors.PerHead;
import dev.squint.onnx.internal.attention.HeadVectors.PerToken;
import dev.squint.onnx.internal.attention.HeadVectors.Projected;
import dev.squint.onnx.internal.graph.Attributes;
import dev.squint.onnx.internal.graph.ElementTypes;
import dev.squint.onnx.internal.graph.GraphNodes;
import dev.squint.onnx.internal.graph.OnnxGraph;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Attention in one node, which returns no probabilities. They are computed next to it for the
 * wanted queries alone: {@code softmax(cap(scale * Q[R] K^T) + mask)}, in float32, with the heads
 * of grouped keys shared rather than copied.
 *
 * @param node the attention
 * @param encoding its operator
 * @param queries the queries, turned by their rotary positions already
 * @param keys all keys, likewise, past ones included
 * @param values all values, past ones included
 * @param scale factor of the scores; 0 for one over the square root of the head width
 * @param softcap bound of the scores; 0 for none
 * @param mask tensor that broadcasts to {@code [B, heads, tokens, keys]}, added (float) or choosing
 *     (bool); empty for none
 * @param maskChooses whether the mask is boolean
 * @param causal whether a token sees itself and those before it only
 * @param window how many keys a token sees at most, itself included; -1 for all
 */
public record FusedAttention(
    int node,
    String encoding,
    HeadVectors queries,
    HeadVectors keys,
    HeadVectors values,
    float scale,
    float softcap,
    String mask,
    boolean maskChooses,
    boolean causal,
    long window)
    implements AttentionSite {

  private static final int PACKED = 3;
  private static final int GROUP_QUERY_BIAS = 10;

  /** Whether a node is an attention operator that this class knows. */
  public static boolean isOne(NodeProto node) {
    return switch (node.getOpType()) {
      case "GroupQueryAttention", "MultiHeadAttention", "Attention" -> true;
      default -> false;
    };
  }

  /**
   * Reads the operator.
   *
   * @throws ModelException if it carries something that its probabilities depend on and that is not
   *     known here
   */
  public static FusedAttention read(OnnxGraph graph, int index) {
    Attributes node = new Attributes(graph.nodes().get(index));
    FusedAttention attention = read(graph, index, node);
    refuse(graph, node, attention.reads().contains(""), "an input or output that is left out");
    return attention;
  }

  /** Whether an operator lets no token see a later one, whatever it is given. */
  public static boolean isCausal(NodeProto node) {
    return node.getOpType().equals("GroupQueryAttention")
        && Attributes.input(node, GROUP_QUERY_BIAS).isEmpty();
  }

  /** Whether {@link #biased} serves, and the operator counts no slots of the cache. */
  public boolean takesBias() {
    return encoding.equals("GroupQueryAttention") && window < 0;
  }

  /**
   * The operator with a bias of its scores.
   *
   * @param whole the operator
   * @param bias tensor {@code [1, heads, tokens, keys]}, in the type of the queries
   */
  public NodeProto biased(NodeProto whole, String bias) {
    return GraphNodes.give(whole.toBuilder(), GROUP_QUERY_BIAS, bias).build();
  }

  private static FusedAttention read(OnnxGraph graph, int index, Attributes node) {
    return switch (node.node().getOpType()) {
      case "GroupQueryAttention" -> groupQuery(graph, index, node);
      case "MultiHeadAttention" -> multiHead(graph, index, node);
      default ->
          node.node().getDomain().equals(GraphNodes.MICROSOFT)
              ? packed(graph, index, node)
              : standard(graph, index, node);
    };
  }

  private static FusedAttention groupQuery(OnnxGraph graph, int index, Attributes node) {
    refuse(graph, node, node.integer("smooth_softmax", 0) > 0, "a smoothed softmax");
    refuse(graph, node, !node.input(11).isEmpty(), "an attention sink");
    refuse(graph, node, !node.input(14).isEmpty(), "norms of its own for queries and keys");
    int heads = node.count("num_heads", 1);
    int kvHeads = node.count("kv_num_heads", heads);
    boolean packed = node.input(1).isEmpty();
    return new FusedAttention(
        index,
        "GroupQueryAttention",
        new PerToken(node.input(0), packed ? heads + 2 * kvHeads : heads, heads),
        new PerHead(node.output(1)),
        new PerHead(node.output(2)),
        node.number("scale", 0),
        node.number("softcap", 0),
        node.input(GROUP_QUERY_BIAS),
        false,
        true,
        node.integer("local_window_size", -1));
  }

  private static FusedAttention multiHead(OnnxGraph graph, int index, Attributes node) {
    refuse(graph, node, node.input(1).isEmpty(), "packed queries, keys and values");
    int heads = node.count("num_heads", 1);
    String present = node.output(1);
    refuse(graph, node, present.isEmpty() && !node.input(6).isEmpty(), "a past but no present");
    return new FusedAttention(
        index,
        "MultiHeadAttention",
        biased(graph, node, 0, new PerToken(node.input(0), heads, heads)),
        present.isEmpty()
            ? biased(graph, node, 1, new PerToken(node.input(1), heads, heads))
            : new PerHead(present),
        present.isEmpty()
            ? biased(graph, node, 2, new PerToken(node.input(2), heads, heads))
            : new PerHead(node.output(2)),
        node.number("scale", 0),
        0,
        node.input(5),
        false,
        node.integer("unidirectional", 0) > 0,
        -1);
  }

  /** The bias of a MultiHeadAttention belongs to queries, keys and values, one after the other. */
  private static HeadVectors biased(OnnxGraph graph, Attributes node, int part, PerToken vectors) {
    String bias = node.input(PACKED);
    if (bias.isEmpty()) {
      return vectors;
    }
    TensorProto values = graph.initializer(bias);
    refuse(graph, node, values == null || values.getDimsCount() != 1, "a computed bias");
    long width = values.getDims(0) / PACKED;
    return new HeadVectors.Biased(vectors, bias, part * width, (part + 1) * width);
  }

  private static FusedAttention packed(OnnxGraph graph, int index, Attributes node) {
    int heads = node.count("num_heads", 1);
    TensorProto weight = graph.initializer(node.input(1));
    refuse(graph, node, weight == null || weight.getDimsCount() != 2, "computed weights");
    refuse(graph, node, !node.input(4).isEmpty(), "a packed past");
    boolean uneven =
        node.node().getAttributeList().stream()
            .anyMatch(a -> a.getName().equals("qkv_hidden_sizes"));
    refuse(graph, node, uneven, "queries, keys and values of different width");
    refuse(graph, node, node.integer("do_rotary", 0) > 0, "rotary positions of its own");
    long width = weight.getDims(1) / PACKED;
    return new FusedAttention(
        index,
        "com.microsoft.Attention",
        new Projected(node.input(0), node.input(1), node.input(2), 0, width, heads),
        new Projected(node.input(0), node.input(1), node.input(2), width, 2 * width, heads),
        new Projected(node.input(0), node.input(1), node.input(2), 2 * width, 3 * width, heads),
        node.number("scale", 0),
        0,
        node.input(5),
        false,
        node.integer("unidirectional", 0) > 0,
        -1);
  }

  private static FusedAttention standard(OnnxGraph graph, int index, Attributes node) {
    int heads = node.integer("q_num_heads", 0) == 0 ? 0 : node.count("q_num_heads", 1);
    int kvHeads = node.count("kv_num_heads", heads);
    String present = node.output(1);
    refuse(graph, node, present.isEmpty() && !node.input(4).isEmpty(), "a past but no present");
    return new FusedAttention(
        index,
        "ai.onnx.Attention",
        heads == 0 ? new PerHead(node.input(0)) : new PerToken(node.input(0), heads, heads),
        present.isEmpty() ? given(heads, node.input(1), kvHeads) : new PerHead(present),
        present.isEmpty() ? given(heads, node.input(2), kvHeads) : new PerHead(node.output(2)),
        node.number("scale", 0),
        node.number("softcap", 0),
        node.input(PACKED),
        graph.types().of(node.input(PACKED)) == ElementTypes.BOOL,
        node.integer("is_causal", 0) > 0,
        -1);
  }

  /** Without a count of heads they are an axis of their own. */
  private static HeadVectors given(int heads, String tensor, int kvHeads) {
    return heads == 0 ? new PerHead(tensor) : new PerToken(tensor, kvHeads, kvHeads);
  }

  private static void refuse(OnnxGraph graph, Attributes node, boolean when, String what) {
    if (when) {
      throw new ModelException(
          "%s: the attention of node %s cannot be observed because it has %s; export the model with eager attention"
              .formatted(graph.file(), OnnxGraph.label(node.node()), what));
    }
  }

  /** The same attention over queries that come from elsewhere. */
  public FusedAttention withQueries(HeadVectors other) {
    return new FusedAttention(
        node, encoding, other, keys, values, scale, softcap, mask, maskChooses, causal, window);
  }

  @Override
  public List<String> reads() {
    List<String> all = new ArrayList<>(queries.reads());
    all.addAll(keys.reads());
    if (!mask.isEmpty()) {
      all.add(mask);
    }
    return all;
  }

  @Override
  public String tokens(GraphNodes nodes) {
    return queries.tokens(nodes);
  }

  @Override
  public List<String> queryReads(OnnxGraph graph) {
    return reads();
  }

  @Override
  public String queries(OnnxGraph graph, GraphNodes nodes, Optional<String> rows) {
    return nodes.floats(queries.append(nodes, rows));
  }

  @Override
  public String keys(OnnxGraph graph, GraphNodes nodes) {
    return nodes.floats(keys.append(nodes, Optional.empty()));
  }

  @Override
  public String values(OnnxGraph graph, GraphNodes nodes) {
    refuse(
        graph,
        new Attributes(graph.nodes().get(node)),
        values.reads().contains(""),
        "values that are left out");
    return nodes.floats(values.append(nodes, Optional.empty()));
  }

  @Override
  public String probabilities(GraphNodes nodes, Optional<String> rows) {
    String query = nodes.floats(queries.append(nodes, rows));
    String key = nodes.floats(keys.append(nodes, Optional.empty()));
    String product = grouped(nodes, query, nodes.transpose(key, 0, 1, 3, 2));
    String scores = scaled(nodes, product, query);
    if (softcap > 0) {
      String cap = nodes.scalar(softcap);
      scores = nodes.op("Mul", nodes.op("Tanh", nodes.op("Div", scores, cap)), cap);
    }
    if (!mask.isEmpty()) {
      scores = masked(nodes, scores, rows.map(r -> nodes.gather(mask, r, -2)).orElse(mask));
    }
    if (causal || window > 0) {
      String asking =
          rows.orElseGet(() -> nodes.op("Range", nodes.scalar(0), tokens(nodes), nodes.scalar(1)));
      scores = hidden(nodes, scores, visible(nodes, asking, key));
    }
    return nodes.softmax(scores);
  }

  /**
   * Products {@code [B, heads, R, keys]}, the queries of a group next to each other over their
   * keys.
   *
   * @param query {@code [B, heads, R, width]}
   * @param key {@code [B, KV heads, width, keys]}
   */
  public static String grouped(GraphNodes nodes, String query, String key) {
    String queryShape = nodes.op("Shape", query);
    String keyShape = nodes.op("Shape", key);
    String whole = nodes.constant(-1);
    String kvHeads = nodes.slice(keyShape, 0, 2, 0);
    String width = nodes.slice(keyShape, 2, 3, 0);
    String groups = nodes.op("Reshape", query, nodes.concat(0, kvHeads, whole, width));
    String product = nodes.op("MatMul", groups, key);
    String keys = nodes.slice(keyShape, 3, 4, 0);
    return nodes.op("Reshape", product, nodes.concat(0, nodes.slice(queryShape, 0, 3, 0), keys));
  }

  private String scaled(GraphNodes nodes, String scores, String query) {
    if (scale != 0) {
      return nodes.op("Mul", scores, nodes.scalar(scale));
    }
    String width = nodes.size(query, 3);
    return nodes.op("Div", scores, nodes.op("Sqrt", nodes.floats(width)));
  }

  private String masked(GraphNodes nodes, String scores, String rows) {
    return maskChooses ? hidden(nodes, scores, rows) : nodes.op("Add", scores, nodes.floats(rows));
  }

  private static String hidden(GraphNodes nodes, String scores, String visible) {
    return nodes.op("Where", visible, scores, nodes.scalar(Float.NEGATIVE_INFINITY));
  }

  /** {@code [R, keys]}: the last query of the run sees the last key, the one before it one less. */
  private String visible(GraphNodes nodes, String rows, String key) {
    String count = nodes.size(key, 2);
    String past = nodes.op("Sub", count, queries.tokens(nodes));
    String own = nodes.reshape(nodes.op("Add", rows, past), -1, 1);
    String all = nodes.op("Range", nodes.scalar(0), count, nodes.scalar(1));
    String visible = causal ? nodes.op("Not", nodes.op("Greater", all, own)) : "";
    if (window < 0) {
      return visible;
    }
    String oldest = nodes.op("Sub", own, nodes.scalar(window));
    String near = nodes.op("Greater", all, oldest);
    return causal ? nodes.op("And", visible, near) : near;
  }
}
