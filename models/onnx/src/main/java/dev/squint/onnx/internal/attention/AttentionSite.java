package dev.squint.onnx.internal.attention;

import dev.squint.onnx.internal.graph.GraphNodes;
import dev.squint.onnx.internal.graph.OnnxGraph;
import java.util.List;
import java.util.Optional;

/** A place in a graph where attention is computed, in whatever encoding. */
public sealed interface AttentionSite permits SoftmaxAttention, FusedAttention {

  /** The node that stands for the attention. */
  int node();

  /** How it is encoded, for people: {@code Softmax}, {@code GroupQueryAttention} and so on. */
  String encoding();

  /** Tensors of the graph that the probabilities are computed from. */
  List<String> reads();

  /** Appends what counts its query tokens, a scalar. */
  String tokens(GraphNodes nodes);

  /**
   * Appends what computes the attention of some queries.
   *
   * @param rows tensor of the query tokens wanted, int64 {@code [R]}; empty for all
   * @return float {@code [B, heads, R, keys]}, probabilities after scale, masks and softmax
   */
  String probabilities(GraphNodes nodes, Optional<String> rows);

  /**
   * The tensor or tensors of the graph that the queries are computed from.
   *
   * @throws dev.squint.error.ModelException if they are not found
   */
  List<String> queryReads(OnnxGraph graph);

  /**
   * Appends what gives its queries, up to a factor common to all.
   *
   * @param graph where the attention is
   * @param rows tensor of the query tokens wanted, int64 {@code [R]}; empty for all
   * @return float {@code [B, heads, R, width]}
   * @throws dev.squint.error.ModelException if they are not found
   */
  String queries(OnnxGraph graph, GraphNodes nodes, Optional<String> rows);

  /**
   * Appends what gives its keys, before any rotary turn of its own and up to a factor common to
   * all.
   *
   * @param graph where the attention is
   * @return float {@code [B, KV heads, keys, width]}
   * @throws dev.squint.error.ModelException if the keys are not found
   */
  String keys(OnnxGraph graph, GraphNodes nodes);

  /**
   * Appends what gives its values.
   *
   * @param graph where the attention is
   * @return float {@code [B, KV heads, keys, width]}
   * @throws dev.squint.error.ModelException if the values are not found
   */
  String values(OnnxGraph graph, GraphNodes nodes);
}
