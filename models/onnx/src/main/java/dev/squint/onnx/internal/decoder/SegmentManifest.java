package dev.squint.onnx.internal.decoder;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.squint.onnx.internal.graph.ElementSize;
import dev.squint.onnx.internal.graph.ExternalData;
import dev.squint.onnx.internal.observe.TapNames;
import dev.squint.pruning.observe.Axis;
import dev.squint.pruning.observe.Expression;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;

/** Describes the inputs and outputs of a segment for programs that run it without this library. */
public final class SegmentManifest {

  private final SegmentModel segment;
  private final GraphProto graph;

  private SegmentManifest(SegmentModel segment, GraphProto graph) {
    this.segment = segment;
    this.graph = graph;
  }

  /** Reads a segment. */
  public static SegmentManifest of(SegmentModel segment) {
    return new SegmentManifest(segment, segment.model().getGraph());
  }

  /** Files with weights, relative to the segment's folder. */
  public Set<String> dataFiles() {
    return ExternalData.locations(graph);
  }

  /** The fields of the manifest, ready for JSON. */
  public Map<String, Object> fields(String file) {
    SegmentSpec spec = segment.spec();
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("file", file);
    fields.put("fromLayer", spec.from());
    fields.put("toLayer", spec.to());
    fields.put("inputs", values(graph.getInputList()));
    fields.put("outputs", values(graph.getOutputList()));
    return fields;
  }

  private List<Map<String, Object>> values(List<ValueInfoProto> values) {
    List<Map<String, Object>> all = new ArrayList<>();
    for (ValueInfoProto value : values) {
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("name", value.getName());
      fields.put("role", role(value.getName()));
      int order = segment.hiddenInputs().indexOf(value.getName());
      order = order < 0 ? segment.hiddenOutputs().indexOf(value.getName()) : order;
      if (order >= 0) {
        fields.put("order", order);
      }
      int type = value.getType().getTensorType().getElemType();
      fields.put("type", ElementSize.name(type));
      layer(value.getName()).ifPresent(layer -> fields.put("layer", layer));
      tap(value.getName()).ifPresent(tap -> fields.put("expression", tap.canonical()));
      fields.put("shape", shape(value));
      all.add(fields);
    }
    return all;
  }

  private OptionalInt layer(String name) {
    for (int layer = segment.spec().from(); layer < segment.spec().to(); layer++) {
      for (boolean key : new boolean[] {true, false}) {
        if (name.equals(DecoderGraph.past(layer, key))
            || name.equals(DecoderGraph.present(layer, key))) {
          return OptionalInt.of(layer);
        }
      }
    }
    return OptionalInt.empty();
  }

  private Optional<Expression> tap(String name) {
    return segment.spec().taps().stream()
        .filter(tap -> TapNames.output(tap).equals(name))
        .findFirst();
  }

  /** Numbers where the graph tells them, else names. */
  private List<Object> shape(ValueInfoProto value) {
    Optional<Expression> tap = tap(value.getName());
    if (tap.isPresent()) {
      return Stream.concat(Stream.of(1), tap.get().axes().stream().map(Axis::toString))
          .map(Object.class::cast)
          .toList();
    }
    List<Object> shape = new ArrayList<>();
    for (TensorShapeProto.Dimension size :
        value.getType().getTensorType().getShape().getDimList()) {
      shape.add(size.hasDimValue() ? size.getDimValue() : size.getDimParam());
    }
    return shape;
  }

  private String role(String name) {
    SegmentSpec spec = segment.spec();
    if (segment.hiddenInputs().contains(name) || segment.hiddenOutputs().contains(name)) {
      return "hidden";
    }
    if (name.equals(spec.arriving(DecoderGraph.POSITIONS))) {
      return "positions";
    }
    if (name.equals(spec.arriving(DecoderGraph.TOKEN_TYPES))) {
      return "tokenTypes";
    }
    return switch (name) {
      case DecoderGraph.MASK -> "mask";
      case DecoderGraph.LOGITS -> "logits";
      case DecoderGraph.BEST_TOKEN -> "bestToken";
      case SegmentModel.KEEP -> "keep";
      default -> {
        if (RowInput.parse(name).isPresent()) {
          yield "rows";
        }
        yield name.startsWith(DecoderGraph.PAST)
            ? "past"
            : name.startsWith("present.") ? "present" : tap(name).isPresent() ? "tap" : "other";
      }
    };
  }
}
