package dev.squint.onnx.internal.decoder;

import ai.onnx.proto.OnnxMl.GraphProto;
import dev.squint.onnx.internal.graph.GraphNodes;
import dev.squint.onnx.internal.graph.StandaloneModel;

/**
 * The graph that picks tokens out of a stored cache: {@code picked = stored[:, :, rows]}, or out of
 * two, the rows of the second counting on after those of the first.
 */
public final class PickGraph {

  /** Input: {@code [1, heads, tokens, width]}. */
  public static final String STORED = "stored";

  /** Input, if there are two: {@code [1, heads, other_tokens, width]}. */
  public static final String OTHER = "other";

  /** Input: int64 {@code [R]}. */
  public static final String ROWS = "rows";

  /** Output: {@code [1, heads, R, width]}. */
  public static final String PICKED = "picked";

  private static final int TOKENS = 2;

  private PickGraph() {}

  /** Where the tokens are picked from. */
  public enum Source {
    /** One store, the same tokens for all heads. */
    ONE,
    /** Two stores, the tokens of the second counting on after those of the first. */
    TWO,
    /** One store, the rows of all heads one head after the other: {@code [R, width]}. */
    HEADS
  }

  /**
   * Writes the graph.
   *
   * @param type ONNX element type of what is stored
   * @param source where from
   * @return the serialised model
   */
  public static byte[] build(int type, Source source) {
    GraphProto.Builder graph = GraphProto.newBuilder().setName("squint-pick");
    graph
        .addInput(GraphNodes.value(STORED, type, "", "", "", ""))
        .addInput(GraphNodes.value(ROWS, GraphNodes.INT64, ROWS))
        .addOutput(GraphNodes.shapeless(PICKED, type));
    GraphNodes nodes = new GraphNodes(graph, StandaloneModel.OPSET);
    switch (source) {
      case ONE -> nodes.gather(STORED, ROWS, TOKENS, PICKED);
      case TWO -> {
        graph.addInput(GraphNodes.value(OTHER, type, "", "", "", ""));
        nodes.gather(nodes.concat(TOKENS, STORED, OTHER), ROWS, TOKENS, PICKED);
      }
      case HEADS -> {
        String width = nodes.slice(nodes.op("Shape", STORED), 3, 4, 0);
        String shape = nodes.concat(0, nodes.constant(-1), width);
        nodes.gather(nodes.op("Reshape", STORED, shape), ROWS, 0, PICKED);
      }
    }
    return StandaloneModel.bytes(graph);
  }
}
