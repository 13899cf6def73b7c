package dev.squint.onnx.internal.observe;

import ai.onnx.proto.OnnxMl.GraphProto;
import dev.squint.onnx.internal.decoder.RowInput;
import dev.squint.onnx.internal.graph.GraphNodes;
import dev.squint.onnx.internal.graph.StandaloneModel;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Leaf;
import dev.squint.pruning.observe.Rows;
import java.util.Arrays;
import java.util.Map;

/**
 * The graph of an expression over what flows between the parts of a model, so that it need not pass
 * through the Java heap.
 */
public final class SideGraph {

  /** Output: float {@code [1, ...]}, the expression. */
  public static final String RESULT = "result";

  private SideGraph() {}

  /**
   * A tensor that is looked at.
   *
   * @param type ONNX element type
   * @param rank how many dimensions it has
   */
  public record Operand(int type, int rank) {}

  /** Input: a tensor {@code [..., width]}. */
  public static String tensor(Leaf leaf) {
    return leaf.canonical();
  }

  /** Input: int64 {@code [R]}, the rows of a tensor that are looked at. */
  public static String rows(Leaf leaf) {
    return RowInput.PREFIX + leaf.canonical();
  }

  /**
   * Writes the graph.
   *
   * @param expression what it computes
   * @param operands the tensors it looks at
   * @param width how many numbers a row of each has
   * @return the serialised model
   */
  public static byte[] build(Expression expression, Map<Leaf, Operand> operands, long width) {
    GraphProto.Builder graph = GraphProto.newBuilder().setName("squint-side");
    GraphNodes nodes = new GraphNodes(graph, StandaloneModel.OPSET);
    expression
        .leaves()
        .forEach(
            leaf -> {
              Object[] open = new Object[operands.get(leaf).rank()];
              Arrays.fill(open, "");
              graph
                  .addInput(GraphNodes.value(tensor(leaf), operands.get(leaf).type(), open))
                  .addInput(GraphNodes.value(rows(leaf), GraphNodes.INT64, ""));
            });
    ExpressionWriter writer =
        new ExpressionWriter(
            nodes,
            new ExpressionWriter.Tensors() {
              @Override
              public String leaf(Leaf leaf) {
                String rows = nodes.reshape(tensor(leaf), 1, -1, width);
                return nodes.floats(nodes.gather(rows, rows(leaf), 1));
              }

              @Override
              public String choose(String tensor, int axis, Rows rows) {
                throw new IllegalStateException("no tensor here counts all tokens");
              }
            });
    writer.write(expression);
    nodes.identity(TapNames.output(expression), RESULT);
    graph.addOutput(GraphNodes.shapeless(RESULT, GraphNodes.FLOAT));
    return StandaloneModel.bytes(graph);
  }
}
