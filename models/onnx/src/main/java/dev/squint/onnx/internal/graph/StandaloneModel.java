package dev.squint.onnx.internal.graph;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;

/** A model that is ours from end to end, with nothing of an exported graph in it. */
public final class StandaloneModel {

  public static final int OPSET = 13;
  private static final int IR_VERSION = 7;

  private StandaloneModel() {}

  public static byte[] bytes(GraphProto.Builder graph) {
    return ModelProto.newBuilder()
        .setIrVersion(IR_VERSION)
        .setProducerName("squint")
        .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(OPSET))
        .setGraph(graph)
        .build()
        .toByteArray();
  }
}
