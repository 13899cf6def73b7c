package dev.squint.onnx.internal.graph;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ShapeFoldingTest {

  private final GraphProto.Builder graph = GraphProto.newBuilder();
  private final GraphNodes nodes = new GraphNodes(graph, 14);

  private void input(String name, Object... sizes) {
    graph.addInput(GraphNodes.value(name, GraphNodes.FLOAT, sizes));
  }

  /** As tracing exporters measure an axis. */
  private String measured(String tensor, long axis) {
    return nodes.unsqueeze(nodes.size(tensor, axis), 0);
  }

  private void output(String name) {
    graph.addOutput(GraphNodes.shapeless(name, GraphNodes.FLOAT));
  }

  private List<Long> shapeOf(String type) {
    NodeProto node =
        graph.getNodeList().stream().filter(n -> n.getOpType().equals(type)).findFirst().get();
    return graph.getInitializerList().stream()
        .filter(weight -> weight.getName().equals(node.getInput(1)))
        .findFirst()
        .map(TensorProto::getInt64DataList)
        .orElse(List.of());
  }

  private List<String> types() {
    return graph.getNodeList().stream().map(NodeProto::getOpType).toList();
  }

  @Test
  void headsAreSplitWithoutMeasuring() {
    input("x", "batch", "tokens", 12L);
    String shape =
        nodes.concat(0, measured("x", 0), measured("x", 1), nodes.constant(-1), nodes.constant(4));
    nodes.op("Reshape", List.of("x", shape), "y");
    output("y");
    ShapeFolding.in(graph, Set.of());
    assertThat(types()).containsExactly("Reshape");
    assertThat(shapeOf("Reshape")).containsExactly(0L, 0L, 3L, 4L);
  }

  @Test
  void aLengthThatMovesIsLeftToBeInferred() {
    input("x", 1L, 2L, 3L, "tokens", 4L);
    String shape =
        nodes.concat(0, nodes.constant(1), nodes.constant(6), measured("x", 3), measured("x", 4));
    nodes.op("Reshape", List.of("x", shape), "y");
    output("y");
    ShapeFolding.in(graph, Set.of());
    assertThat(types()).containsExactly("Reshape");
    assertThat(shapeOf("Reshape")).containsExactly(1L, 6L, -1L, 4L);
  }

  @Test
  void twoLengthsOfAnotherTensorAreStillMeasured() {
    input("x", "rows", 4L);
    input("other", "a", "b");
    String shape = nodes.concat(0, measured("other", 0), measured("other", 1), nodes.constant(2));
    nodes.op("Reshape", List.of("x", shape), "y");
    output("y");
    ShapeFolding.in(graph, Set.of());
    assertThat(types()).contains("Shape", "Gather", "Unsqueeze", "Concat", "Reshape");
  }

  /** Exporters write -1 for an axis that stays, and put 1 there in the graph. */
  @Test
  void repeatedHeadsAreExpandedWithoutMeasuring() {
    input("x", "batch", 2L, 1L, "tokens", 4L);
    String wanted =
        nodes.concat(
            0,
            measured("x", 0),
            nodes.constant(-1),
            nodes.constant(3),
            measured("x", 3),
            nodes.constant(4));
    String minus = nodes.constant(-1, -1, -1, -1, -1);
    String ones = nodes.constant(1, 1, 1, 1, 1);
    nodes.op(
        "Expand",
        List.of("x", nodes.op("Where", nodes.op("Equal", wanted, minus), ones, wanted)),
        "y");
    output("y");
    ShapeFolding.in(graph, Set.of());
    assertThat(types()).containsExactly("Expand");
    assertThat(shapeOf("Expand")).containsExactly(1L, 1L, 3L, 1L, 4L);
  }

  /** A sum of two inputs may be as long as either of them. */
  @Test
  void aBroadcastOfTwoLengthsIsNotTakenForOneOfThem() {
    input("x", "a", 4L);
    input("z", "b", 4L);
    String sum = nodes.op("Add", "x", "z");
    String shape = nodes.concat(0, measured("x", 0), nodes.constant(2, 2));
    nodes.op("Reshape", List.of(sum, shape), "y");
    String other = nodes.concat(0, measured("x", 0), measured("z", 0), nodes.constant(4));
    nodes.op("Reshape", List.of(sum, other), "w");
    output("y");
    output("w");
    ShapeFolding.in(graph, Set.of());
    assertThat(shapeOf("Reshape")).containsExactly(-1L, 2L, 2L);
    assertThat(types()).contains("Shape");
  }
}
