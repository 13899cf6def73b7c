package dev.squint.onnx.internal.graph;

import ai.onnx.proto.OnnxMl.GraphProto;
import java.util.List;

/** Makes a graph return float32 where its file returns another float type. */
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
      out.setNode(i, GraphNodes.renamed(out.getNode(i), output, inside));
    }
    out.addNode(
        GraphNodes.node("Cast", List.of(inside), output)
            .setName(inside)
            .addAttribute(GraphNodes.integer("to", GraphNodes.FLOAT)));
    GraphNodes.declareFloat(out.getOutputBuilderList(), output);
    return graph.model().toBuilder().setGraph(out).build().toByteArray();
  }
}
