package dev.squint.onnx.internal.decoder;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import dev.squint.onnx.internal.graph.Attributes;
import dev.squint.onnx.internal.graph.ElementTypes;
import dev.squint.onnx.internal.graph.GraphNodes;
import dev.squint.onnx.internal.graph.OnnxGraph;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Finds the rotary positions that a graph without an input for them counts by itself: the integers
 * after the angles of its {@code Cos} and {@code Sin}, or the positions of its rotary operators.
 */
final class CountedPositions {

  private static final int INT64 = DataType.INT64.getNumber();

  private final OnnxGraph graph;
  private final ElementTypes types;
  private final BitSet counts;

  /** What was found after the tensors that were looked at. */
  private final Map<String, String> integers = new HashMap<>();

  private CountedPositions(OnnxGraph graph) {
    this.graph = graph;
    this.types = graph.types();
    this.counts = findCounts(graph);
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
        case "Cos", "Sin" -> found.add(integersAfter(here.input(0)));
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
  private String integersAfter(String angle) {
    List<String> passed = new ArrayList<>();
    String name = angle;
    while (!name.isEmpty() && !integers.containsKey(name) && types.of(name) != INT64) {
      passed.add(name);
      int producer = graph.producer(name);
      name =
          producer < 0
              ? ""
              : graph.nodes().get(producer).getInputList().stream()
                  .filter(in -> isCount(graph, counts, in))
                  .findFirst()
                  .orElse("");
    }
    String found = integers.getOrDefault(name, name);
    passed.forEach(tensor -> integers.put(tensor, found));
    return found;
  }

  /** Nodes whose results follow from lengths, as positions do and the frequencies do not. */
  private static BitSet findCounts(OnnxGraph graph) {
    BitSet counts = new BitSet();
    for (int i = 0; i < graph.nodes().size(); i++) {
      NodeProto node = graph.nodes().get(i);
      boolean source = OnnxGraph.readsShapeOnly(node) || node.getOpType().equals("Range");
      counts.set(i, source || data(node).stream().anyMatch(in -> isCount(graph, counts, in)));
    }
    return counts;
  }

  private static boolean isCount(OnnxGraph graph, BitSet counts, String tensor) {
    int producer = graph.producer(tensor);
    return tensor.equals(DecoderGraph.MASK) || (producer >= 0 && counts.get(producer));
  }

  /** The inputs whose values reach the output; sizes and axes do not. */
  private static List<String> data(NodeProto node) {
    return switch (node.getOpType()) {
      case "Expand", "Reshape", "Unsqueeze", "Squeeze", "Slice", "Tile" ->
          List.of(Attributes.input(node, 0));
      default -> node.getInputList();
    };
  }
}
