package dev.squint.onnx.internal.graph;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import dev.squint.error.ModelException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Whether a loop ends, where the file tells: its trip count is written down and not too high, or
 * something that it computes ends it. A count that is computed itself is believed.
 *
 * @param file the file, for messages
 * @param numbers what the graph has written down
 */
record LoopCheck(Path file, WrittenNumbers numbers) {

  private static final long MOST_ROUNDS = 1 << 20;

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
    boolean counted =
        !count.isEmpty() && numbers.one(count).map(n -> n <= MOST_ROUNDS).orElse(true);
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
    WrittenNumbers inside = WrittenNumbers.in(Optional.of(numbers), body);
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
    boolean isTrue = inside.one(condition).map(value -> value != 0).orElse(false);
    return !isTrue && !condition.equals(body.getInput(1).getName());
  }
}
