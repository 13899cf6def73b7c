package dev.squint.onnx.internal.decoder;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.squint.error.ModelException;
import dev.squint.onnx.internal.graph.ElementSize;
import dev.squint.onnx.internal.graph.ExternalData;
import dev.squint.onnx.internal.io.AtomicFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A data file of their own for segments that are to leave the folder of the model. A weight that
 * several segments share is in it once. The bytes go from file to file and never through the heap.
 */
public final class WeightFile {

  private static final int ALIGNMENT = 64;

  private record Range(Path file, long offset, long length) {}

  private final Map<Range, Long> places = new LinkedHashMap<>();
  private long end;

  private WeightFile() {}

  /**
   * Copies all weights that segments refer to.
   *
   * @param segments segments of one model
   * @param target the data file, which is made anew: what has its name already stays as it is. Its
   *     folder has to exist; after a failure the file may be there in part
   * @return the segments, referring to the new file and its folder
   * @throws ModelException if the weights cannot be read or the file cannot be written
   */
  public static List<SegmentModel> copy(List<SegmentModel> segments, Path target) {
    WeightFile weights = new WeightFile();
    List<SegmentModel> moved = new ArrayList<>();
    try {
      for (SegmentModel segment : segments) {
        moved.add(weights.moved(segment, target));
      }
      weights.write(target);
      return moved;
    } catch (IOException e) {
      throw new ModelException(
          "the weights cannot be copied to %s (%s); choose a folder that can be written and has room for %d bytes"
              .formatted(
                  target,
                  e instanceof ClosedByInterruptException
                      ? "the thread was interrupted"
                      : e.getMessage(),
                  weights.end),
          e);
    }
  }

  private SegmentModel moved(SegmentModel segment, Path target) {
    ModelProto.Builder model = segment.model().toBuilder();
    move(model.getGraphBuilder(), segment.folder(), target.getFileName().toString());
    return new SegmentModel(
        segment.spec(),
        model.build(),
        target.toAbsolutePath().getParent(),
        segment.hiddenInputs(),
        segment.hiddenOutputs());
  }

  private void move(GraphProto.Builder graph, Path folder, String name) {
    graph.getInitializerBuilderList().forEach(weight -> move(weight, folder, name));
    for (NodeProto.Builder node : graph.getNodeBuilderList()) {
      for (AttributeProto.Builder attribute : node.getAttributeBuilderList()) {
        if (attribute.hasT()) {
          move(attribute.getTBuilder(), folder, name);
        }
        if (attribute.hasG()) {
          move(attribute.getGBuilder(), folder, name);
        }
        attribute.getTensorsBuilderList().forEach(tensor -> move(tensor, folder, name));
        attribute.getGraphsBuilderList().forEach(inner -> move(inner, folder, name));
      }
    }
  }

  private void move(TensorProto.Builder weight, Path folder, String name) {
    if (weight.getDataLocation() != TensorProto.DataLocation.EXTERNAL) {
      return;
    }
    TensorProto told = weight.build();
    Path file = folder.resolve(ExternalData.entry(told, ExternalData.LOCATION));
    String offset = ExternalData.entry(told, ExternalData.OFFSET);
    long length =
        ElementSize.bytes(
                ElementSize.elements(told).orElseThrow(), ElementSize.bits(told.getDataType()))
            .orElseThrow();
    Range range = new Range(file, offset.isEmpty() ? 0 : Long.parseLong(offset), length);
    Long place = places.get(range);
    if (place == null) {
      place = (end + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
      places.put(range, place);
      end = place + length;
    }
    weight
        .clearExternalData()
        .addExternalData(entry(ExternalData.LOCATION, name))
        .addExternalData(entry(ExternalData.OFFSET, Long.toString(place)))
        .addExternalData(entry(ExternalData.LENGTH, Long.toString(length)));
  }

  private static StringStringEntryProto.Builder entry(String key, String value) {
    return StringStringEntryProto.newBuilder().setKey(key).setValue(value);
  }

  private void write(Path target) throws IOException {
    AtomicFiles.create(
        target,
        to -> {
          for (Map.Entry<Range, Long> place : places.entrySet()) {
            copy(place.getKey(), to, place.getValue());
          }
        });
  }

  private static void copy(Range range, FileChannel to, long place) throws IOException {
    try (FileChannel from = FileChannel.open(range.file(), StandardOpenOption.READ)) {
      if (to.size() < place) {
        to.write(ByteBuffer.allocate(1), place - 1);
      }
      to.position(place);
      long done = 0;
      while (done < range.length()) {
        long step = from.transferTo(range.offset() + done, range.length() - done, to);
        if (step <= 0) {
          throw new IOException(range.file() + " has become shorter");
        }
        done += step;
      }
    }
  }
}
