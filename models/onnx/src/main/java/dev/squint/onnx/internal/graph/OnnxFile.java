package dev.squint.onnx.internal.graph;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.DiscardUnknownFieldsParser;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import com.google.protobuf.WireFormat;
import dev.squint.error.ModelException;
import dev.squint.onnx.internal.io.LfsPointer;
import dev.squint.onnx.internal.io.Printable;
import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * An ONNX file as it lies on disk. Weights embedded in it are not read: they become external data
 * whose file is this very file, so that neither a graph nor the segments extracted from it hold
 * weights, and nothing has to be written to externalise them. Fields that this program does not
 * know are left out: ONNX Runtime, which may know them, gets to see nothing that was not checked.
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

  private static final String ENDS_EARLY = "the file ends early";

  /**
   * Reads all but the weights. A thread that has been interrupted reads on and stays interrupted.
   *
   * @return the model, not checked in any way
   * @throws ModelException if the file is missing, unreadable, or not an ONNX file
   */
  ModelProto read() {
    checkKind();
    try (InputStream file = new FileInputStream(path.toFile())) {
      return new Reading(file, size(), path.getFileName().toString()).model();
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

  private int size() throws IOException {
    long size = Files.size(path);
    if (size == 0) {
      throw new ModelException(path + " is empty: download or export it again");
    }
    if (size > Integer.MAX_VALUE) {
      throw new ModelException(
          path
              + " is larger than 2 GB, which no ONNX file can be: export it again with external data");
    }
    if (LfsPointer.isOne(path, size)) {
      throw new ModelException(LfsPointer.sentence(path));
    }
    return (int) size;
  }

  private static String reason(InvalidProtocolBufferException e) {
    String message = String.valueOf(e.getMessage());
    return message.startsWith("While parsing")
        ? ENDS_EARLY
        : message.startsWith("CodedInputStream") ? "a number is too long" : message;
  }

  private static StringStringEntryProto entry(String key, String value) {
    return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
  }

  /** Fields that are kept, to be parsed when all are there. */
  private record Kept(ByteArrayOutputStream bytes, CodedOutputStream fields) {

    private static final int BUFFER = 256;

    static Kept none() {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      return new Kept(bytes, CodedOutputStream.newInstance(bytes, BUFFER));
    }

    <M extends Message> M parsed(Parser<M> parser) throws IOException {
      fields.flush();
      try {
        return DiscardUnknownFieldsParser.wrap(parser).parseFrom(bytes.toByteArray());
      } catch (InvalidProtocolBufferException e) {
        boolean deep = String.valueOf(e.getMessage()).contains("nesting");
        throw new InvalidProtocolBufferException(
            deep ? "its subgraphs are nested too deep" : "it is damaged", e);
      }
    }
  }

  /** One pass over the file. Nothing is allocated before its bytes are known to be there. */
  private static final class Reading {

    private static final int BUFFER = 1 << 16;
    private static final long MOST_TAG = 0xffffffffL;

    private final CodedInputStream in;
    private final String selfName;
    private final List<TensorProto> weights = new ArrayList<>();
    private long left =
        Math.min(MOST_BYTES_READ, Runtime.getRuntime().maxMemory() / MEMORY_PER_BYTE);

    Reading(InputStream file, int size, String selfName) throws IOException {
      this.in = CodedInputStream.newInstance(file, BUFFER);
      this.selfName = selfName;
      in.pushLimit(size);
    }

    ModelProto model() throws IOException {
      Kept rest = Kept.none();
      Kept graph = Kept.none();
      boolean hasGraph = false;
      while (in.getBytesUntilLimit() > 0) {
        int tag = tag();
        if (isMessage(tag, ModelProto.GRAPH_FIELD_NUMBER)) {
          hasGraph = true;
          int around = in.pushLimit(length());
          readGraph(graph);
          in.popLimit(around);
        } else {
          keep(tag, rest);
        }
      }
      ModelProto.Builder model = rest.parsed(ModelProto.parser()).toBuilder();
      if (hasGraph) {
        model.setGraph(graph.parsed(GraphProto.parser()).toBuilder().addAllInitializer(weights));
      }
      return model.build();
    }

    private void readGraph(Kept graph) throws IOException {
      for (int parts = 1; in.getBytesUntilLimit() > 0; parts++) {
        if (parts > MOST_PARTS) {
          throw new InvalidProtocolBufferException(
              "its graph has more than %d parts".formatted(MOST_PARTS));
        }
        int tag = tag();
        if (isMessage(tag, GraphProto.INITIALIZER_FIELD_NUMBER)) {
          int around = in.pushLimit(length());
          weights.add(readWeight());
          in.popLimit(around);
        } else {
          keep(tag, graph);
        }
      }
    }

    private TensorProto readWeight() throws IOException {
      Kept rest = Kept.none();
      long offset = -1;
      int bytes = 0;
      while (in.getBytesUntilLimit() > 0) {
        int tag = tag();
        if (!isMessage(tag, TensorProto.RAW_DATA_FIELD_NUMBER)) {
          keep(tag, rest);
          continue;
        }
        int length = length();
        if (length < STAYS_IN_FILE) {
          keepBytes(tag, length, rest);
        } else if (offset >= 0) {
          throw new InvalidProtocolBufferException("a weight holds its data twice");
        } else {
          bytes = length;
          offset = in.getTotalBytesRead();
          in.skipRawBytes(length);
        }
      }
      TensorProto weight = rest.parsed(TensorProto.parser());
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
          .addExternalData(entry(ExternalData.LENGTH, Integer.toString(bytes)))
          .build();
    }

    private static boolean isMessage(int tag, int field) {
      return WireFormat.getTagFieldNumber(tag) == field
          && WireFormat.getTagWireType(tag) == WireFormat.WIRETYPE_LENGTH_DELIMITED;
    }

    /**
     * Not {@code readTag}, which drops the bits that are too many and takes a missing tag for 0.
     */
    private int tag() throws IOException {
      long tag = in.readRawVarint64();
      if (tag < 8 || tag > MOST_TAG) {
        throw new InvalidProtocolBufferException("a field has no number");
      }
      return (int) tag;
    }

    /** The length of a field that ends no later than the message around it. */
    private int length() throws IOException {
      long length = in.readRawVarint64();
      if (length < 0 || length > in.getBytesUntilLimit()) {
        throw new InvalidProtocolBufferException(ENDS_EARLY);
      }
      return (int) length;
    }

    private void keep(int tag, Kept to) throws IOException {
      int type = WireFormat.getTagWireType(tag);
      if (type == WireFormat.WIRETYPE_LENGTH_DELIMITED) {
        keepBytes(tag, length(), to);
        return;
      }
      count(Long.BYTES);
      to.fields().writeUInt32NoTag(tag);
      switch (type) {
        case WireFormat.WIRETYPE_VARINT -> to.fields().writeUInt64NoTag(in.readRawVarint64());
        case WireFormat.WIRETYPE_FIXED64 ->
            to.fields().writeFixed64NoTag(in.readRawLittleEndian64());
        case WireFormat.WIRETYPE_FIXED32 ->
            to.fields().writeFixed32NoTag(in.readRawLittleEndian32());
        default -> throw new InvalidProtocolBufferException("a field is of no known kind");
      }
    }

    private void keepBytes(int tag, int length, Kept to) throws IOException {
      count(length);
      to.fields().writeUInt32NoTag(tag);
      to.fields().writeByteArrayNoTag(in.readRawBytes(length));
    }

    private void count(int bytes) throws InvalidProtocolBufferException {
      left -= bytes;
      if (left < 0) {
        throw new InvalidProtocolBufferException(
            "it holds more besides raw weights than is read; keep its weights as external data");
      }
    }
  }
}
