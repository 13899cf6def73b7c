package dev.squint.onnx.internal.vision;

import ai.onnx.proto.OnnxMl.GraphProto;
import dev.squint.onnx.internal.graph.GraphNodes;
import dev.squint.onnx.internal.graph.StandaloneModel;
import java.util.Arrays;
import java.util.List;

/** The graph that puts the features of several images one after the other. */
public final class JoinGraph {

  /** Output: the features of all, {@code [1, tokens, width]} or {@code [tokens, width]}. */
  public static final String JOINED = "joined";

  private static final int MATRIX = 2;

  private JoinGraph() {}

  /** Input: the features of one image, {@code [..., tokens, width]}. */
  public static String part(int image) {
    return "features." + image;
  }

  /**
   * Writes the graph.
   *
   * @param type ONNX element type of the features
   * @param rank how many axes they have, 2 or more
   * @param count how many images there are
   * @return the serialised model
   */
  public static byte[] build(int type, int rank, int count) {
    GraphProto.Builder graph = GraphProto.newBuilder().setName("squint-join");
    GraphNodes nodes = new GraphNodes(graph, StandaloneModel.OPSET);
    Object[] open = new Object[rank];
    Arrays.fill(open, "");
    String[] rows = new String[count];
    for (int image = 0; image < count; image++) {
      graph.addInput(GraphNodes.value(part(image), type, open));
      String width = nodes.slice(nodes.op("Shape", part(image)), rank - 1, rank, 0);
      String shape = nodes.concat(0, nodes.constant(-1), width);
      rows[image] = nodes.op("Reshape", part(image), shape);
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
