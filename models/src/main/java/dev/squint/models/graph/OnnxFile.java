package dev.squint.models.graph;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.DiscardUnknownFieldsParser;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import com.google.protobuf.WireFormat;
import dev.squint.models.ModelException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * An ONNX file as it lies on disk. Weights embedded in it are not read: they become external data
 * whose file is this very file, so that neither a graph nor the segments cut from it hold weights,
 * and nothing has to be written to externalise them. Fields that this program does not know are
 * left out: ONNX Runtime, which may know them, gets to see nothing that was not checked.
 *
 * @param path the file
 */
record OnnxFile(Path path) {

  /** Embedded weights of this many bytes and more stay in the file. */
  static final int STAYS_IN_FILE = 1024;

  /**
   * All that is not raw weights is read, and takes several times its bytes of memory; the largest
   * decoders hold a few megabytes of it.
   */
  private static final long MOST_BYTES_READ = 256L << 20;

  /** Nodes, weights, inputs, outputs and values; an empty one is two bytes here, hundreds there. */
  private static final int MOST_PARTS = 3_000_000;

  private static final int MEMORY_PER_BYTE = 16;

  /**
   * Reads all but the weights. A thread that has been interrupted reads on and stays interrupted.
   *
   * @return the model, not checked in any way
   * @throws ModelException if the file is missing, unreadable, or not an ONNX file
   */
  ModelProto read() {
    checkKind();
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "r")) {
      checkBeginning(file);
      long most = Math.min(MOST_BYTES_READ, Runtime.getRuntime().maxMemory() / MEMORY_PER_BYTE);
      return model(new WireReader(file, most), path.getFileName().toString());
    } catch (InvalidProtocolBufferException e) {
      throw new ModelException(
          "%s is not a readable ONNX file (%s): download or export it again"
              .formatted(path, reason(e)),
          e);
    } catch (IOException e) {
      throw new ModelException("cannot read " + path + ": " + e.getMessage(), e);
    } catch (OutOfMemoryError e) {
      throw new ModelException(
          path + " holds more than fits into Java's memory besides its weights; raise -Xmx", e);
    }
  }

  private void checkKind() {
    if (Files.isDirectory(path)) {
      throw new ModelException(path + " is a folder: name the .onnx file in it");
    }
    if (Files.isRegularFile(path)) {
      return;
    }
    throw new ModelException(
        Files.exists(path, LinkOption.NOFOLLOW_LINKS)
            ? path + " is no plain file: name the .onnx file itself"
            : "no such file: " + path + "; the hub layout keeps its graphs in the folder onnx");
  }

  private void checkBeginning(RandomAccessFile file) throws IOException {
    if (file.length() == 0) {
      throw new ModelException(path + " is empty: download or export it again");
    }
    if (file.length() > Integer.MAX_VALUE) {
      throw new ModelException(
          path
              + " is larger than 2 GB, which no ONNX file can be: export it again with external data");
    }
    if (LfsPointer.isOne(path, file.length())) {
      throw new ModelException(LfsPointer.sentence(path));
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

  private static <M extends Message> M parsed(Parser<M> parser, ByteArrayOutputStream bytes)
      throws InvalidProtocolBufferException {
    return DiscardUnknownFieldsParser.wrap(parser).parseFrom(bytes.toByteArray());
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
    ModelProto.Builder model = parsed(ModelProto.parser(), rest).toBuilder();
    if (hasGraph) {
      model.setGraph(parsed(GraphProto.parser(), graph).toBuilder().addAllInitializer(weights));
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
    int parts = 0;
    while (in.position() < end) {
      parts++;
      if (parts > MOST_PARTS) {
        throw new InvalidProtocolBufferException(
            "its graph has more than %d parts".formatted(MOST_PARTS));
      }
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
    TensorProto weight = parsed(TensorProto.parser(), rest);
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
