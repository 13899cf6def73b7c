package dev.squint.models.graph;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/**
 * Finds the rotary positions that a graph without an input for them counts by itself: the integers
 * behind the angles of its {@code Cos} and {@code Sin}, or the positions of its rotary operators.
 */
final class CountedPositions {

  private static final int INT64 = DataType.INT64.getNumber();

  private final OnnxGraph graph;
  private final ElementTypes types;

  private CountedPositions(OnnxGraph graph) {
    this.graph = graph;
    this.types = new ElementTypes(graph);
  }

  /** The one tensor of all layers, or empty if there is none or more than one. */
  static Optional<String> find(OnnxGraph graph) {
    return new CountedPositions(graph).find();
  }

  private Optional<String> find() {
    Set<String> found = new HashSet<>();
    for (NodeProto node : graph.nodes()) {
      Attributes here = new Attributes(node);
      switch (node.getOpType()) {
        case "Cos", "Sin" -> found.add(integersBehind(here.input(0)));
        case "RotaryEmbedding" -> {
          boolean microsoft = node.getDomain().equals(GraphNodes.MICROSOFT);
          String positions = here.input(microsoft ? 1 : 3);
          if (!positions.isEmpty()) {
            found.add(positions);
          }
        }
        default -> {}
      }
    }
    boolean one = found.size() == 1 && !found.contains("");
    return one ? Optional.of(found.iterator().next()) : Optional.empty();
  }

  /** Up from an angle to the first integers, past what only scales and shapes it. */
  private String integersBehind(String angle) {
    String name = angle;
    while (types.of(name) != INT64) {
      int producer = graph.producer(name);
      if (producer < 0) {
        return "";
      }
      NodeProto node = graph.nodes().get(producer);
      name = node.getInputList().stream().filter(this::isComputedFromCounts).findFirst().orElse("");
      if (name.isEmpty()) {
        return "";
      }
    }
    return name;
  }

  /** Whether a tensor follows from lengths, as positions do and the frequencies do not. */
  private boolean isComputedFromCounts(String tensor) {
    int producer = graph.producer(tensor);
    if (producer < 0) {
      return false;
    }
    NodeProto node = graph.nodes().get(producer);
    return OnnxGraph.readsShapeOnly(node)
        || node.getOpType().equals("Range")
        || node.getInputList().stream()
            .anyMatch(in -> in.equals(DecoderGraph.MASK) || isComputedFromCounts(in));
  }
}
