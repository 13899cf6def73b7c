package dev.squint.models.graph;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import java.util.List;

/** Makes a graph hand out float32 where its file hands out another float type. */
public final class FloatOutput {

  private FloatOutput() {}

  /**
   * The graph with one output converted.
   *
   * @param graph any graph
   * @param output name of the output, which the new one takes over
   * @return the serialised model
   */
  public static byte[] of(OnnxGraph graph, String output) {
    GraphProto.Builder out = graph.model().getGraph().toBuilder();
    String inside = "squint." + output;
    for (int i = 0; i < out.getNodeCount(); i++) {
      out.setNode(i, renamed(out.getNode(i), output, inside));
    }
    out.addNode(
        GraphNodes.node("Cast", List.of(inside), output)
            .setName(inside)
            .addAttribute(GraphNodes.integer("to", GraphNodes.FLOAT)));
    for (ValueInfoProto.Builder value : out.getOutputBuilderList()) {
      if (value.getName().equals(output)) {
        TypeProto.Tensor.Builder type = value.getTypeBuilder().getTensorTypeBuilder();
        type.setElemType(GraphNodes.FLOAT);
      }
    }
    return graph.model().toBuilder().setGraph(out).build().toByteArray();
  }

  private static NodeProto renamed(NodeProto node, String from, String to) {
    NodeProto.Builder copy = node.toBuilder();
    for (int i = 0; i < copy.getInputCount(); i++) {
      if (copy.getInput(i).equals(from)) {
        copy.setInput(i, to);
      }
    }
    for (int i = 0; i < copy.getOutputCount(); i++) {
      if (copy.getOutput(i).equals(from)) {
        copy.setOutput(i, to);
      }
    }
    return copy.build();
  }
}
