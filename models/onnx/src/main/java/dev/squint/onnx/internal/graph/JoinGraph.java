package dev.squint.onnx.internal.graph;

import ai.onnx.proto.OnnxMl.GraphProto;
import java.util.Arrays;
import java.util.List;

/** The graph that puts tokens one after the other that were computed apart. */
public final class JoinGraph {

  /** Output: the tokens of all, {@code [1, tokens, width]} or {@code [tokens, width]}. */
  public static final String JOINED = "joined";

  private static final int MATRIX = 2;

  private JoinGraph() {}

  /** Input: the tokens of one part, {@code [..., tokens, width]}. */
  public static String part(int number) {
    return "part." + number;
  }

  /**
   * Writes the graph.
   *
   * @param type ONNX element type of the tokens
   * @param rank how many axes they have, 2 or more
   * @param count how many parts there are
   * @return the serialised model
   */
  public static byte[] build(int type, int rank, int count) {
    GraphProto.Builder graph = GraphProto.newBuilder().setName("squint-join");
    GraphNodes nodes = new GraphNodes(graph, StandaloneModel.OPSET);
    Object[] open = new Object[rank];
    Arrays.fill(open, "");
    String[] rows = new String[count];
    for (int number = 0; number < count; number++) {
      graph.addInput(GraphNodes.value(part(number), type, open));
      String width = nodes.slice(nodes.op("Shape", part(number)), rank - 1, rank, 0);
      String shape = nodes.concat(0, nodes.constant(-1), width);
      rows[number] = nodes.op("Reshape", part(number), shape);
    }
    String all = nodes.concat(0, rows);
    if (rank == MATRIX) {
      nodes.identity(all, JOINED);
    } else {
      nodes.op("Unsqueeze", List.of(all, nodes.constant(0)), JOINED);
    }
    graph.addOutput(GraphNodes.shapeless(JOINED, type));
    return StandaloneModel.bytes(graph);
  }
}
