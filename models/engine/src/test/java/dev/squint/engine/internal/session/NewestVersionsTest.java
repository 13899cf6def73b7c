package dev.squint.engine.internal.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.squint.engine.internal.ort.OrtRuntime;
import dev.squint.onnx.internal.graph.GraphNodes;
import dev.squint.onnx.internal.graph.ModelCheck;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The newest versions that are let through are those that ONNX Runtime reads. */
class NewestVersionsTest {

  private static void open(int ir, int opset) throws OrtException {
    GraphProto.Builder graph =
        GraphProto.newBuilder()
            .setName("versions")
            .addInput(GraphNodes.value("in", GraphNodes.FLOAT, 1L))
            .addNode(GraphNodes.node("Identity", List.of("in"), "out"))
            .addOutput(GraphNodes.value("out", GraphNodes.FLOAT, 1L));
    byte[] model =
        ModelProto.newBuilder()
            .setIrVersion(ir)
            .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(opset))
            .setGraph(graph)
            .build()
            .toByteArray();
    try (OrtSession session = OrtRuntime.get(1).environment().createSession(model)) {
      assertThat(session.getNumInputs()).isEqualTo(1);
    }
  }

  @Test
  void irVersion() throws OrtException {
    open(ModelCheck.NEWEST_IR, 17);
    assertThatThrownBy(() -> open(ModelCheck.NEWEST_IR + 1, 17)).hasMessageContaining("IR version");
  }

  @Test
  void opset() throws OrtException {
    open(8, ModelCheck.NEWEST_OPSET);
    assertThatThrownBy(() -> open(8, ModelCheck.NEWEST_OPSET + 1)).hasMessageContaining("opset");
  }
}
