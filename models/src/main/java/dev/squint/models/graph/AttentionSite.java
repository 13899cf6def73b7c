package dev.squint.models.graph;

import java.util.List;

/** A place in a graph where attention is computed, in whatever encoding. */
sealed interface AttentionSite permits SoftmaxAttention, FusedAttention {

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
   * @param rows tensor of the query tokens wanted, int64 {@code [R]}
   * @return float {@code [B, heads, R, keys]}, probabilities after scale, masks and softmax
   */
  String probabilities(GraphNodes nodes, String rows);

  /**
   * Appends what hands out its keys, before any rotary turn of its own and up to a factor common to
   * all.
   *
   * @param graph where the attention is
   * @return float {@code [B, KV heads, keys, width]}
   * @throws dev.squint.models.ModelException if the keys are not found
   */
  String keys(OnnxGraph graph, GraphNodes nodes);
}
