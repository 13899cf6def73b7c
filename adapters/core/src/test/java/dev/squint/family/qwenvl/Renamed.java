package dev.squint.family.qwenvl;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import dev.squint.onnx.internal.graph.GraphNodes;
import java.util.List;

/** Graphs with other names. */
final class Renamed {

  private Renamed() {}

  static ModelProto input(ModelProto model, String from, String to) {
    ModelProto.Builder other = model.toBuilder();
    GraphProto.Builder graph = other.getGraphBuilder();
    graph.getInputBuilderList().stream()
        .filter(input -> input.getName().equals(from))
        .forEach(input -> input.setName(to));
    List<NodeProto> nodes = List.copyOf(graph.getNodeList());
    graph.clearNode();
    nodes.forEach(node -> graph.addNode(GraphNodes.renamed(node, from, to)));
    return other.build();
  }
}
