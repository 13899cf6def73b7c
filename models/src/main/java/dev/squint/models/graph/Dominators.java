package dev.squint.models.graph;

import ai.onnx.proto.OnnxMl.NodeProto;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Set;

/**
 * Immediate dominators of the nodes that one tensor's values flow through: node d dominates node n
 * when every path from that tensor to n passes d. One pass in topological order suffices because
 * the graph has no cycles (Cooper, Harvey and Kennedy, "A Simple, Fast Dominance Algorithm", 2001).
 */
final class Dominators {

  /** Stands for the source tensor itself, which no node produces. */
  static final int ROOT = -1;

  private static final int UNREACHED = -2;

  private final int[] immediate;

  Dominators(OnnxGraph graph, String source) {
    List<NodeProto> nodes = graph.nodes();
    BitSet reached = graph.dependents(Set.of(source));
    immediate = new int[nodes.size()];
    Arrays.fill(immediate, UNREACHED);
    for (int i = reached.nextSetBit(0); i >= 0; i = reached.nextSetBit(i + 1)) {
      int join = UNREACHED;
      for (String input : OnnxGraph.reads(nodes.get(i))) {
        int from = graph.producer(input);
        boolean flows = input.equals(source) || (from >= 0 && reached.get(from));
        if (flows) {
          join = join == UNREACHED ? from : common(join, from);
        }
      }
      immediate[i] = join;
    }
  }

  /** A node and all that dominate it. */
  BitSet chain(int node) {
    BitSet chain = new BitSet();
    for (int above = node; above != ROOT; above = immediate[above]) {
      chain.set(above);
    }
    return chain;
  }

  boolean reaches(int node) {
    return node >= 0 && immediate[node] != UNREACHED;
  }

  /** The immediate dominator of a reached node, {@link #ROOT} at the top. */
  int above(int node) {
    return immediate[node];
  }

  /** The nearest node that dominates both, or {@link #ROOT}. */
  int common(int a, int b) {
    int left = a;
    int right = b;
    while (left != right) {
      if (left > right) {
        left = immediate[left];
      } else {
        right = immediate[right];
      }
    }
    return left;
  }
}
