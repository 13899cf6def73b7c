package dev.squint.engine.internal.ort;

import ai.onnx.proto.OnnxMl.GraphProto;
import dev.squint.onnx.internal.graph.GraphNodes;
import dev.squint.onnx.internal.graph.StandaloneModel;
import java.util.List;

/**
 * The smallest model there is, one Neg on one number, to find out what an environment or a device
 * can do.
 */
final class ProbeGraph {

  private ProbeGraph() {}

  static byte[] bytes() {
    return StandaloneModel.bytes(
        GraphProto.newBuilder()
            .setName("probe")
            .addInput(GraphNodes.value("x", GraphNodes.FLOAT, 1))
            .addNode(GraphNodes.node("Neg", List.of("x"), "y"))
            .addOutput(GraphNodes.value("y", GraphNodes.FLOAT, 1)));
  }
}
