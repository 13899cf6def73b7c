package dev.squint.onnx.internal.vision;

import ai.onnx.proto.OnnxMl.GraphProto;
import dev.squint.onnx.internal.graph.GraphNodes;
import dev.squint.onnx.internal.graph.StandaloneModel;
import java.util.Arrays;
import java.util.List;

/**
 * The graph that makes the visual tokens of an image of the features of its tiles: each token is
 * the weighted sum of a few of their rows, counted through all tiles, or one row that comes after
 * these.
 */
public final class PackGraph {

  /** Input: features of all tiles, {@code [..., tokens, width]}. */
  public static final String FEATURES = "features";

  /** Input: the row after them, float32 {@code [1, width]}. */
  public static final String EXTRA = "extra";

  /** Input: rows by token, int64 {@code [terms, tokens]}. */
  public static final String SOURCES = "sources";

  /** Input: what each counts, float32 {@code [terms, tokens]}; there if there are several terms. */
  public static final String WEIGHTS = "weights";

  /** Output: {@code [1, tokens, width]}, or {@code [tokens, width]} if features have two axes. */
  public static final String PACKED = "packed";

  private static final int MATRIX = 2;

  private PackGraph() {}

  /**
   * Writes the graph.
   *
   * @param type ONNX element type of the features
   * @param rank how many axes they have, 2 or more
   * @param terms of how many rows a token is the sum
   * @return the serialised model
   */
  public static byte[] build(int type, int rank, int terms) {
    GraphProto.Builder graph = GraphProto.newBuilder().setName("squint-pack");
    GraphNodes nodes = new GraphNodes(graph, StandaloneModel.OPSET);
    Object[] open = new Object[rank];
    Arrays.fill(open, "");
    graph.addInput(GraphNodes.value(FEATURES, type, open));
    graph.addInput(GraphNodes.value(EXTRA, GraphNodes.FLOAT, 1, "width"));
    graph.addInput(GraphNodes.value(SOURCES, GraphNodes.INT64, terms, "tokens"));
    String width = nodes.slice(nodes.op("Shape", FEATURES), rank - 1, rank, 0);
    String flat = nodes.op("Reshape", FEATURES, nodes.concat(0, nodes.constant(-1), width));
    String rows = nodes.concat(0, flat, converted(nodes, EXTRA, type));
    String packed = terms == 1 ? term(nodes, rows, 0) : sum(graph, nodes, rows, type, terms);
    if (rank == MATRIX) {
      nodes.identity(packed, PACKED);
    } else {
      nodes.op("Unsqueeze", List.of(packed, nodes.constant(0)), PACKED);
    }
    graph.addOutput(GraphNodes.shapeless(PACKED, type));
    return StandaloneModel.bytes(graph);
  }

  private static String sum(
      GraphProto.Builder graph, GraphNodes nodes, String rows, int type, int terms) {
    graph.addInput(GraphNodes.value(WEIGHTS, GraphNodes.FLOAT, terms, "tokens"));
    String sum = null;
    for (int term = 0; term < terms; term++) {
      String weights = nodes.op("Unsqueeze", row(nodes, WEIGHTS, term), nodes.constant(1));
      String one = term(nodes, rows, term);
      String product = nodes.op("Mul", type == GraphNodes.FLOAT ? one : nodes.floats(one), weights);
      sum = sum == null ? product : nodes.op("Add", sum, product);
    }
    return converted(nodes, sum, type);
  }

  private static String term(GraphNodes nodes, String rows, int term) {
    return nodes.gather(rows, row(nodes, SOURCES, term), 0);
  }

  private static String row(GraphNodes nodes, String matrix, int row) {
    return nodes.op("Squeeze", nodes.slice(matrix, row, row + 1, 0), nodes.constant(0));
  }

  private static String converted(GraphNodes nodes, String floats, int type) {
    if (type == GraphNodes.FLOAT) {
      return floats;
    }
    String converted = nodes.fresh();
    nodes.cast(floats, type, converted);
    return converted;
  }
}
