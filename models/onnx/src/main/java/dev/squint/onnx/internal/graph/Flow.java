package dev.squint.onnx.internal.graph;

import ai.onnx.proto.OnnxMl.NodeProto;
import java.util.BitSet;
import java.util.Collection;
import java.util.List;

/**
 * Nodes that depend on some tensors, found in the order of the graph and no further than asked for:
 * what a layer's cache flows into lies close after it, and a decoder has many layers. Belongs to
 * one thread.
 */
public final class Flow {

  private final OnnxGraph graph;
  private final boolean shapes;
  private final BitSet reached = new BitSet();
  private int followed;

  /**
   * @param graph where
   * @param sources the tensors
   * @param shapes whether their shapes count too. Shapes carry no values, so without them the flow
   *     stops at nodes that read a shape only
   */
  public Flow(OnnxGraph graph, Collection<String> sources, boolean shapes) {
    this.graph = graph;
    this.shapes = shapes;
    sources.forEach(this::enter);
  }

  private void enter(String tensor) {
    List<NodeProto> nodes = graph.nodes();
    for (int reader : graph.readers(tensor)) {
      if (shapes || !OnnxGraph.readsShapeOnly(nodes.get(reader))) {
        reached.set(reader);
      }
    }
  }

  private void follow(int end) {
    int node = reached.nextSetBit(followed);
    while (node >= 0 && node < end) {
      graph.nodes().get(node).getOutputList().forEach(this::enter);
      followed = node + 1;
      node = reached.nextSetBit(followed);
    }
    followed = Math.max(followed, end);
  }

  /** Whether a node is among them; -1, which stands for no node, is not. */
  public boolean reaches(int node) {
    if (node < 0) {
      return false;
    }
    follow(node);
    return reached.get(node);
  }

  /** The first of them from a node on, -1 if there is none. */
  public int next(int from) {
    follow(from);
    return reached.nextSetBit(from);
  }

  /** All of them. */
  public BitSet all() {
    follow(graph.nodes().size());
    return reached;
  }
}
