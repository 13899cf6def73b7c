package dev.squint.models.graph;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.squint.models.ModelException;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Whether a loop ends, where the file tells: its trip count is written down and not too high, or
 * something that it computes ends it. A count that is computed itself is believed.
 *
 * @param file the file, for messages
 * @param outer numbers written down around the graph
 * @param numbers numbers written down in the graph, by the name of their tensor
 */
record LoopCheck(Path file, Optional<LoopCheck> outer, Map<String, Long> numbers) {

  private static final long MOST_ROUNDS = 1 << 20;

  static LoopCheck in(Path file, Optional<LoopCheck> outer, GraphProto graph) {
    Map<String, Long> numbers = new HashMap<>();
    graph
        .getInitializerList()
        .forEach(tensor -> number(tensor).ifPresent(n -> numbers.put(tensor.getName(), n)));
    for (NodeProto node : graph.getNodeList()) {
      for (AttributeProto attribute : node.getAttributeList()) {
        if (!node.getOpType().equals("Constant")) {
          break;
        }
        Optional<Long> value =
            attribute.hasI() ? Optional.of(attribute.getI()) : number(attribute.getT());
        value.ifPresent(n -> numbers.put(Attributes.output(node, 0), n));
      }
    }
    return new LoopCheck(file, outer, numbers);
  }

  private static Optional<Long> number(TensorProto tensor) {
    if (!tensor.getDimsList().stream().allMatch(size -> size == 1)) {
      return Optional.empty();
    }
    if (tensor.getInt64DataCount() == 1) {
      return Optional.of(tensor.getInt64Data(0));
    }
    if (tensor.getInt32DataCount() == 1) {
      return Optional.of((long) tensor.getInt32Data(0));
    }
    var raw = tensor.getRawData();
    return switch (raw.size()) {
      case 1 -> Optional.of((long) raw.byteAt(0));
      case Long.BYTES ->
          Optional.of(raw.asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN).getLong());
      default -> Optional.empty();
    };
  }

  private Optional<Long> find(String tensor) {
    return Optional.ofNullable(numbers.get(tensor))
        .or(() -> outer.flatMap(around -> around.find(tensor)));
  }

  /**
   * Checks a node of the graph.
   *
   * @throws ModelException if it is a loop that does not end
   */
  void check(NodeProto node) {
    if (!node.getOpType().equals("Loop")) {
      return;
    }
    String count = Attributes.input(node, 0);
    boolean counted = !count.isEmpty() && find(count).map(n -> n <= MOST_ROUNDS).orElse(true);
    boolean ends = !Attributes.input(node, 1).isEmpty() && !OnnxGraph.subgraphs(node).isEmpty();
    if (!counted && !(ends && computesItsEnd(OnnxGraph.subgraphs(node).get(0)))) {
      throw new ModelException(
          "%s: the loop %s goes round more than %d times or for ever; export it without control flow"
              .formatted(file, OnnxGraph.label(node), MOST_ROUNDS));
    }
  }

  /** Whether the body's condition is more than true, or than what it was before. */
  private boolean computesItsEnd(GraphProto body) {
    if (body.getOutputCount() == 0 || body.getInputCount() < 2) {
      return false;
    }
    LoopCheck inside = in(file, Optional.of(this), body);
    Map<String, NodeProto> producers = new HashMap<>();
    body.getNodeList()
        .forEach(node -> node.getOutputList().forEach(output -> producers.put(output, node)));
    String condition = body.getOutput(0).getName();
    for (int steps = 0; steps < body.getNodeCount(); steps++) {
      NodeProto producer = producers.get(condition);
      boolean passes =
          producer != null
              && (producer.getOpType().equals("Identity") || producer.getOpType().equals("Cast"));
      if (!passes) {
        break;
      }
      condition = Attributes.input(producer, 0);
    }
    boolean isTrue = inside.find(condition).map(value -> value != 0).orElse(false);
    return !isTrue && !condition.equals(body.getInput(1).getName());
  }
}
