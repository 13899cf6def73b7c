package dev.squint.engine.internal.session;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.CodedOutputStream;
import dev.squint.onnx.internal.graph.ExternalData;
import dev.squint.onnx.internal.graph.GraphNodes;
import dev.squint.onnx.internal.graph.OnnxGraph;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.List;

/** A file full of embedded weights, sparse on disk. Its main method reads one. */
final class LargeFile {

  private static final int WEIGHTS = 4;

  private LargeFile() {}

  public static void main(String[] args) {
    OnnxGraph graph = OnnxGraph.read(Path.of(args[0]));
    long found =
        graph.model().getGraph().getInitializerList().stream()
            .filter(
                weight ->
                    ExternalData.entry(weight, ExternalData.LOCATION)
                        .equals(Path.of(args[0]).getFileName().toString()))
            .count();
    System.out.println(found + " weights in " + graph.file().getFileName());
  }

  static void write(Path file, long bytes) throws IOException {
    long each = bytes / WEIGHTS / Float.BYTES * Float.BYTES;
    byte[] nodes =
        GraphProto.newBuilder()
            .addInput(GraphNodes.value("x", GraphNodes.FLOAT, 1L))
            .addOutput(GraphNodes.shapeless("y", GraphNodes.FLOAT))
            .addNode(GraphNodes.node("Add", List.of("x", "w0"), "y"))
            .build()
            .toByteArray();
    byte[] rest =
        ModelProto.newBuilder()
            .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(17))
            .build()
            .toByteArray();
    long perWeight = weight(0, each).length + each;
    int keyAndLength = header(GraphProto.INITIALIZER_FIELD_NUMBER, perWeight).length;
    try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
      out.write(rest);
      out.write(
          header(
              ModelProto.GRAPH_FIELD_NUMBER, nodes.length + WEIGHTS * (keyAndLength + perWeight)));
      for (int i = 0; i < WEIGHTS; i++) {
        out.write(header(GraphProto.INITIALIZER_FIELD_NUMBER, perWeight));
        out.write(weight(i, each));
        out.seek(out.getFilePointer() + each);
      }
      out.write(nodes);
    }
  }

  /** A weight up to the first byte of its data. */
  private static byte[] weight(int index, long bytes) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    TensorProto.newBuilder()
        .setName("w" + index)
        .setDataType(GraphNodes.FLOAT)
        .addDims(bytes / Float.BYTES)
        .build()
        .writeTo(out);
    out.write(header(TensorProto.RAW_DATA_FIELD_NUMBER, bytes));
    return out.toByteArray();
  }

  private static byte[] header(int field, long length) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    CodedOutputStream coded = CodedOutputStream.newInstance(out);
    coded.writeTag(field, 2);
    coded.writeUInt64NoTag(length);
    coded.flush();
    return out.toByteArray();
  }
}
