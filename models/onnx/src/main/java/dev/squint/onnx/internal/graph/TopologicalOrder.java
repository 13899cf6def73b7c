package dev.squint.onnx.internal.graph;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import dev.squint.error.ModelException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;

/**
 * Brings the nodes of a graph into an order in which every tensor is produced before it is read.
 * ONNX demands it, but converters append nodes at the end and ONNX Runtime bears with it. Nodes
 * that are in order stay as they are (Kahn, "Topological Sorting of Large Networks", 1962).
 *
 * @param file the file, for messages
 */
record TopologicalOrder(Path file) {

  /**
   * The same graph, in order.
   *
   * @throws ModelException if nodes wait for each other in a circle
   */
  GraphProto of(GraphProto graph) {
    List<NodeProto> nodes = graph.getNodeList();
    Map<String, Integer> producers = new HashMap<>();
    for (int i = 0; i < nodes.size(); i++) {
      for (String output : nodes.get(i).getOutputList()) {
        producers.put(output, i);
      }
    }
    producers.remove("");
    int[] missing = new int[nodes.size()];
    List<List<Integer>> waiting = new ArrayList<>();
    nodes.forEach(node -> waiting.add(new ArrayList<>()));
    boolean ordered = true;
    for (int i = 0; i < nodes.size(); i++) {
      for (String input : OnnxGraph.reads(nodes.get(i))) {
        int producer = producers.getOrDefault(input, -1);
        if (producer >= 0) {
          waiting.get(producer).add(i);
          missing[i]++;
          ordered &= producer < i;
        }
      }
    }
    return ordered ? graph : sorted(graph, missing, waiting);
  }

  private GraphProto sorted(GraphProto graph, int[] missing, List<List<Integer>> waiting) {
    PriorityQueue<Integer> ready = new PriorityQueue<>();
    for (int i = 0; i < missing.length; i++) {
      if (missing[i] == 0) {
        ready.add(i);
      }
    }
    GraphProto.Builder sorted = graph.toBuilder().clearNode();
    while (!ready.isEmpty()) {
      int next = ready.remove();
      sorted.addNode(graph.getNode(next));
      for (int reader : waiting.get(next)) {
        if (--missing[reader] == 0) {
          ready.add(reader);
        }
      }
    }
    for (int i = 0; i < missing.length; i++) {
      if (missing[i] > 0) {
        throw new ModelException(
            "%s: node %s waits in a circle for its own result; the file is damaged, export it again"
                .formatted(file, OnnxGraph.label(graph.getNode(i))));
      }
    }
    return sorted.build();
  }
}
