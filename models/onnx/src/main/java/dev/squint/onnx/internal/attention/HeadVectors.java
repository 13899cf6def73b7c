package dev.squint.onnx.internal.attention;

import dev.squint.onnx.internal.graph.GraphNodes;
import java.util.List;
import java.util.Optional;

/** Where the queries or the keys of an attention are found, brought to one form on demand. */
public sealed interface HeadVectors {

  /** The tensors it is computed from. */
  List<String> reads();

  /**
   * Appends what brings it to {@code [B, heads, tokens, width]}.
   *
   * @param rows tensor of the tokens wanted, int64 {@code [R]}; empty for all
   */
  String append(GraphNodes nodes, Optional<String> rows);

  /** Appends what counts its tokens, a scalar. */
  String tokens(GraphNodes nodes);

  /**
   * A tensor {@code [B, tokens, groups * width]} of which some neighbouring groups are wanted.
   *
   * @param groups heads in the tensor; more than {@code heads} where queries, keys and values are
   *     packed
   */
  record PerToken(String tensor, int groups, int heads) implements HeadVectors {

    @Override
    public List<String> reads() {
      return List.of(tensor);
    }

    @Override
    public String append(GraphNodes nodes, Optional<String> rows) {
      String apart = nodes.reshape(tensor, 0, 0, groups, -1);
      String chosen = rows.map(r -> nodes.gather(apart, r, 1)).orElse(apart);
      String ours = groups == heads ? chosen : nodes.slice(chosen, 0, heads, 2);
      return nodes.transpose(ours, 0, 2, 1, 3);
    }

    @Override
    public String tokens(GraphNodes nodes) {
      return nodes.size(tensor, 1);
    }
  }

  /**
   * Vectors to which the attention adds a bias by itself.
   *
   * @param bias name of the biases of queries, keys and values
   * @param from where the part that belongs here begins
   * @param to where it ends
   */
  record Biased(PerToken vectors, String bias, long from, long to) implements HeadVectors {

    @Override
    public List<String> reads() {
      return List.of(vectors.tensor(), bias);
    }

    @Override
    public String append(GraphNodes nodes, Optional<String> rows) {
      String sum = nodes.op("Add", vectors.tensor(), nodes.slice(bias, from, to, 0));
      return new PerToken(sum, vectors.groups(), vectors.heads()).append(nodes, rows);
    }

    @Override
    public String tokens(GraphNodes nodes) {
      return vectors.tokens(nodes);
    }
  }

  /** A tensor {@code [B, heads, tokens, width]}. */
  record PerHead(String tensor) implements HeadVectors {

    @Override
    public List<String> reads() {
      return List.of(tensor);
    }

    @Override
    public String append(GraphNodes nodes, Optional<String> rows) {
      return rows.map(r -> nodes.gather(tensor, r, 2)).orElse(tensor);
    }

    @Override
    public String tokens(GraphNodes nodes) {
      return nodes.size(tensor, 2);
    }
  }

  /**
   * Columns of a packed projection that the attention makes by itself: {@code input[B, tokens, C] x
   * weight[C, 3C] + bias}.
   *
   * @param bias name of the bias {@code [3C]}, or empty
   */
  record Projected(String input, String weight, String bias, long from, long to, int heads)
      implements HeadVectors {

    @Override
    public List<String> reads() {
      return bias.isEmpty() ? List.of(input, weight) : List.of(input, weight, bias);
    }

    @Override
    public String append(GraphNodes nodes, Optional<String> rows) {
      String chosen = rows.map(r -> nodes.gather(input, r, 1)).orElse(input);
      String product = nodes.op("MatMul", chosen, nodes.slice(weight, from, to, 1));
      String sum =
          bias.isEmpty() ? product : nodes.op("Add", product, nodes.slice(bias, from, to, 0));
      return nodes.transpose(nodes.reshape(sum, 0, 0, heads, -1), 0, 2, 1, 3);
    }

    @Override
    public String tokens(GraphNodes nodes) {
      return nodes.size(input, 1);
    }
  }
}
