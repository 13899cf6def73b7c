package dev.squint.models.graph;

import ai.onnx.proto.OnnxMl.GraphProto;
import java.util.Arrays;
import java.util.List;

/**
 * The graph that compares rows of two tensors, so that neither passes through the Java heap: {@code
 * similarity[i, j]} is the dot product or cosine of {@code first[first_rows[i]]} and {@code
 * second[second_rows[j]]}, in float32. The cosine with a row of zeros is 0.
 */
public final class SimilarityGraph {

  /** Input: {@code [..., width]}. */
  public static final String FIRST = "first";

  /** Input: int64 {@code [R]}. */
  public static final String FIRST_ROWS = "first_rows";

  /** Input: {@code [..., width]}. */
  public static final String SECOND = "second";

  /** Input: int64 {@code [C]}. */
  public static final String SECOND_ROWS = "second_rows";

  /** Output: float {@code [R, C]}. */
  public static final String SIMILARITY = "similarity";

  private SimilarityGraph() {}

  /**
   * A tensor to be compared.
   *
   * @param type ONNX element type
   * @param rank how many dimensions it has
   */
  public record Operand(int type, int rank) {}

  /**
   * Writes the graph.
   *
   * @param width how many numbers a row has
   * @param first one tensor
   * @param second the other
   * @param cosine whether rows are compared by cosine
   * @return the serialised model
   */
  public static byte[] build(long width, Operand first, Operand second, boolean cosine) {
    GraphProto.Builder graph = GraphProto.newBuilder().setName("squint-similarity");
    GraphNodes nodes = new GraphNodes(graph, StandaloneModel.OPSET);
    String one = rows(graph, nodes, first, FIRST, FIRST_ROWS, width);
    String other = rows(graph, nodes, second, SECOND, SECOND_ROWS, width);
    if (cosine) {
      one = nodes.unit(one, 2);
      other = nodes.op("Div", nodes.unit(other, 2), nodes.scalar((float) width));
    }
    String turned = nodes.transpose(other, 1, 0);
    nodes.op("MatMul", List.of(one, turned), SIMILARITY);
    graph.addOutput(GraphNodes.value(SIMILARITY, GraphNodes.FLOAT, "rows", "columns"));
    return StandaloneModel.bytes(graph);
  }

  private static String rows(
      GraphProto.Builder graph,
      GraphNodes nodes,
      Operand operand,
      String tensor,
      String rows,
      long width) {
    Object[] open = new Object[operand.rank()];
    Arrays.fill(open, "");
    graph
        .addInput(GraphNodes.value(tensor, operand.type(), open))
        .addInput(GraphNodes.value(rows, GraphNodes.INT64, rows));
    return nodes.floats(nodes.gather(nodes.reshape(tensor, -1, width), rows, 0));
  }
}
