package dev.squint.onnx.internal.decoder;

import dev.squint.onnx.internal.attention.AttentionSite;
import dev.squint.onnx.internal.attention.FusedAttention;
import dev.squint.onnx.internal.attention.HeadVectors;
import dev.squint.onnx.internal.graph.GraphNodes;
import dev.squint.onnx.internal.observe.ExpressionWriter;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Leaf;
import dev.squint.pruning.observe.Rows;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The named tensors of the decoder layers in one segment. Attention that several expressions want
 * of one layer is computed once, for the queries of all of them.
 */
final class DecoderTensors implements ExpressionWriter.Tensors {

  private final DecoderGraph decoder;
  private final Set<Leaf> leaves = new LinkedHashSet<>();
  private final Map<Integer, AttentionSite> sites = new HashMap<>();
  private final Map<Integer, Set<Rows>> queries = new HashMap<>();
  private final Map<Integer, String> probabilities = new HashMap<>();
  private final Set<RowInput> inputs = new LinkedHashSet<>();
  private final Set<String> weights = new LinkedHashSet<>();
  private Map<Integer, String> turnedQueries = Map.of();
  private GraphNodes nodes;

  DecoderTensors(DecoderGraph decoder, Collection<Expression> expressions) {
    this.decoder = decoder;
    expressions.forEach(expression -> expression.leaves().forEach(leaves::add));
    for (Leaf leaf : leaves) {
      if (leaf.tensor() == Leaf.Tensor.PROBABILITIES) {
        queries.computeIfAbsent(layer(leaf), layer -> EnumSet.noneOf(Rows.class)).add(leaf.rows());
      }
      if (leaf.tensor() == Leaf.Tensor.PROBABILITIES || leaf.tensor() == Leaf.Tensor.Q) {
        site(layer(leaf));
      }
    }
  }

  private static int layer(Leaf leaf) {
    return leaf.place().layer();
  }

  /** The attention of a layer, which is observed from now on. */
  AttentionSite site(int layer) {
    return sites.computeIfAbsent(layer, decoder::attention);
  }

  /** Attention that is observed. */
  Collection<AttentionSite> sites() {
    return sites.values();
  }

  /** Tensors of the decoder that are read. */
  List<String> reads() {
    List<String> reads = new ArrayList<>();
    for (Leaf leaf : leaves) {
      reads.addAll(
          switch (leaf.tensor()) {
            case PROBABILITIES -> site(layer(leaf)).reads();
            case Q -> site(layer(leaf)).queryReads(decoder.graph());
            case K, V -> List.of(present(leaf));
            case MLP -> List.of(decoder.feedForward(layer(leaf)).activations());
            case HIDDEN, NORMED, FEATURES, EMBEDS -> List.of(decoder.hiddenStates(layer(leaf)));
          });
    }
    return reads;
  }

  private static String present(Leaf leaf) {
    return DecoderGraph.present(layer(leaf), leaf.tensor() == Leaf.Tensor.K);
  }

  /**
   * Begins to append to a segment, whose other nodes are there.
   *
   * @param turnedQueries for attention whose rotation was moved out of it, by node: its queries
   */
  ExpressionWriter writer(GraphNodes nodes, Map<Integer, String> turnedQueries) {
    this.nodes = nodes;
    this.turnedQueries = turnedQueries;
    return new ExpressionWriter(nodes, this);
  }

  /** Inputs that the appended nodes read. */
  Set<RowInput> inputs() {
    return inputs;
  }

  /** Weights that the appended nodes read. */
  Set<String> weights() {
    return weights;
  }

  @Override
  public String leaf(Leaf leaf) {
    return switch (leaf.tensor()) {
      case PROBABILITIES -> probabilities(leaf);
      case Q -> turned(site(layer(leaf))).queries(decoder.graph(), nodes, rows(leaf.rows()));
      case K, V -> nodes.floats(choose(present(leaf), 2, leaf.rows()));
      case MLP ->
          nodes.floats(choose(decoder.feedForward(layer(leaf)).activations(), 1, leaf.rows()));
      case NORMED -> nodes.floats(normed(hidden(leaf)));
      case HIDDEN, FEATURES, EMBEDS -> nodes.floats(hidden(leaf));
    };
  }

  private String hidden(Leaf leaf) {
    return choose(decoder.hiddenStates(leaf.place().layer()), 1, leaf.rows());
  }

  private String normed(String states) {
    FinalNorm norm = decoder.finalNorm();
    weights.addAll(norm.weights());
    return norm.append(nodes, states);
  }

  private String probabilities(Leaf leaf) {
    Set<Rows> wanted = queries.get(layer(leaf));
    boolean all = wanted.contains(Rows.ALL);
    String whole =
        probabilities.computeIfAbsent(
            layer(leaf),
            layer ->
                turned(site(layer))
                    .probabilities(
                        nodes, all ? Optional.empty() : Optional.of(input(RowInput.of(wanted)))));
    if (wanted.size() == 1) {
      return whole;
    }
    return all
        ? choose(whole, 2, leaf.rows())
        : nodes.gather(
            whole, input(new RowInput(List.copyOf(wanted), Optional.of(leaf.rows()))), 2);
  }

  /**
   * The attention of some new tokens to all that are cached.
   *
   * @param rows tensor of the tokens
   */
  String probabilities(AttentionSite site, String rows) {
    return turned(site).probabilities(nodes, Optional.of(rows));
  }

  private AttentionSite turned(AttentionSite site) {
    String turned = turnedQueries.get(site.node());
    if (turned != null && site instanceof FusedAttention fused) {
      int heads = ((HeadVectors.PerToken) fused.queries()).heads();
      return fused.withQueries(new HeadVectors.PerToken(turned, heads, heads));
    }
    return site;
  }

  private String input(RowInput input) {
    inputs.add(input);
    return input.name();
  }

  private Optional<String> rows(Rows rows) {
    return rows == Rows.ALL ? Optional.empty() : Optional.of(input(RowInput.of(rows)));
  }

  @Override
  public String choose(String tensor, int axis, Rows rows) {
    return rows(rows).map(chosen -> nodes.gather(tensor, chosen, axis)).orElse(tensor);
  }
}
