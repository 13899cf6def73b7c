package dev.squint.models.graph;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.WireFormat;
import dev.squint.models.ModelException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * An ONNX file as it lies on disk. Weights embedded in it are not read: they become external data
 * whose file is this very file, so that neither a graph nor the segments cut from it hold weights,
 * and nothing has to be written to externalise them.
 *
 * @param path the file
 */
record OnnxFile(Path path) {

  /** Embedded weights of this many bytes and more stay in the file. */
  static final int STAYS_IN_FILE = 1024;

  private static final String LFS_POINTER = "version https://git-lfs";

  /**
   * Reads all but the weights.
   *
   * @return the model, not checked in any way
   * @throws ModelException if the file is missing, unreadable, or not an ONNX file
   */
  ModelProto read() {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      checkBeginning(channel);
      return model(new WireReader(channel), path.getFileName().toString());
    } catch (NoSuchFileException e) {
      throw new ModelException(
          "no such file: " + path + "; the hub layout keeps its graphs in the folder onnx", e);
    } catch (InvalidProtocolBufferException e) {
      throw new ModelException(
          "%s is not a readable ONNX file (%s): download or export it again"
              .formatted(path, reason(e)),
          e);
    } catch (IOException e) {
      throw new ModelException("cannot read " + path + ": " + e.getMessage(), e);
    }
  }

  private void checkBeginning(FileChannel channel) throws IOException {
    if (Files.isDirectory(path)) {
      throw new ModelException(path + " is a folder: name the .onnx file in it");
    }
    if (channel.size() == 0) {
      throw new ModelException(path + " is empty: download or export it again");
    }
    if (channel.size() > Integer.MAX_VALUE) {
      throw new ModelException(
          path
              + " is larger than 2 GB, which no ONNX file can be: export it again with external data");
    }
    ByteBuffer beginning = ByteBuffer.allocate(LFS_POINTER.length());
    channel.read(beginning, 0);
    String text =
        new String(beginning.array(), 0, beginning.position(), StandardCharsets.ISO_8859_1);
    if (text.equals(LFS_POINTER)) {
      throw new ModelException(
          path + " is a Git LFS pointer and not the file itself: get it with git lfs pull");
    }
  }

  private static String reason(InvalidProtocolBufferException e) {
    String message = String.valueOf(e.getMessage());
    if (message.contains("nesting")) {
      return "its subgraphs are nested too deep";
    }
    boolean ours = !message.startsWith("Protocol message") && !message.startsWith("While parsing");
    return ours ? message : "it is damaged";
  }

  private static ModelProto model(WireReader in, String selfName) throws IOException {
    ByteArrayOutputStream rest = new ByteArrayOutputStream();
    ByteArrayOutputStream graph = new ByteArrayOutputStream();
    List<TensorProto> weights = new ArrayList<>();
    boolean hasGraph = false;
    while (in.position() < in.size()) {
      int key = in.key();
      if (isMessage(key, ModelProto.GRAPH_FIELD_NUMBER)) {
        hasGraph = true;
        long end = in.length(in.size()) + in.position();
        readGraph(in, end, selfName, graph, weights);
      } else {
        in.copyField(key, in.size(), rest);
      }
    }
    ModelProto.Builder model = ModelProto.parseFrom(rest.toByteArray()).toBuilder();
    if (hasGraph) {
      model.setGraph(
          GraphProto.parseFrom(graph.toByteArray()).toBuilder().addAllInitializer(weights));
    }
    return model.build();
  }

  private static boolean isMessage(int key, int field) {
    return WireFormat.getTagFieldNumber(key) == field
        && WireFormat.getTagWireType(key) == WireFormat.WIRETYPE_LENGTH_DELIMITED;
  }

  private static void readGraph(
      WireReader in,
      long end,
      String selfName,
      ByteArrayOutputStream graph,
      List<TensorProto> weights)
      throws IOException {
    while (in.position() < end) {
      int key = in.key();
      if (isMessage(key, GraphProto.INITIALIZER_FIELD_NUMBER)) {
        long tensorEnd = in.length(end) + in.position();
        weights.add(readWeight(in, tensorEnd, selfName));
      } else {
        in.copyField(key, end, graph);
      }
    }
  }

  private static TensorProto readWeight(WireReader in, long end, String selfName)
      throws IOException {
    ByteArrayOutputStream rest = new ByteArrayOutputStream();
    long offset = -1;
    long length = 0;
    while (in.position() < end) {
      int key = in.key();
      if (!isMessage(key, TensorProto.RAW_DATA_FIELD_NUMBER)) {
        in.copyField(key, end, rest);
        continue;
      }
      long bytes = in.length(end);
      if (bytes < STAYS_IN_FILE) {
        in.copyBytes(key, bytes, rest);
      } else if (offset >= 0) {
        throw new InvalidProtocolBufferException("a weight holds its data twice");
      } else {
        length = bytes;
        offset = in.position();
        in.skip(length);
      }
    }
    TensorProto weight = TensorProto.parseFrom(rest.toByteArray());
    if (offset < 0) {
      return weight;
    }
    if (weight.hasRawData() || weight.getExternalDataCount() > 0) {
      throw new InvalidProtocolBufferException(
          "weight '%s' holds its data twice".formatted(Printable.of(weight.getName())));
    }
    return weight.toBuilder()
        .setDataLocation(TensorProto.DataLocation.EXTERNAL)
        .addExternalData(entry(ExternalData.LOCATION, selfName))
        .addExternalData(entry(ExternalData.OFFSET, Long.toString(offset)))
        .addExternalData(entry(ExternalData.LENGTH, Long.toString(length)))
        .build();
  }

  private static StringStringEntryProto entry(String key, String value) {
    return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
  }
}
