package dev.squint.onnx.internal.graph;

import java.util.BitSet;
import java.util.Set;

/**
 * Immediate dominators of the nodes that one tensor's values flow through: node d dominates node n
 * when every path from that tensor to n passes d. One pass in topological order suffices because
 * the graph has no cycles (Cooper, Harvey and Kennedy, "A Simple, Fast Dominance Algorithm", 2001).
 * Where they climb the tree step by step, which takes as many steps as it is deep, this takes jumps
 * (Myers, "An Applicative Random-Access Stack", 1983), about two per doubling of the depth.
 */
public final class Dominators {

  /** Stands for the source tensor itself, which no node produces. */
  public static final int ROOT = -1;

  private static final int UNREACHED = -2;

  /** Places in the tree: 0 for the root, one more than its index for a node. */
  private final int[] parent;

  private final int[] jump;
  private final int[] depth;

  public Dominators(OnnxGraph graph, String source) {
    int size = graph.nodes().size();
    BitSet reached = graph.dependents(Set.of(source));
    parent = new int[size + 1];
    jump = new int[size + 1];
    depth = new int[size + 1];
    for (int i = reached.nextSetBit(0); i >= 0; i = reached.nextSetBit(i + 1)) {
      int join = UNREACHED;
      for (String input : graph.reads(i)) {
        int from = graph.producer(input);
        boolean flows = input.equals(source) || (from >= 0 && reached.get(from));
        if (flows) {
          join = join == UNREACHED ? from : common(join, from);
        }
      }
      hang(i + 1, join + 1);
    }
  }

  private void hang(int place, int below) {
    parent[place] = below;
    depth[place] = depth[below] + 1;
    int far = jump[below];
    boolean twice = depth[below] - depth[far] == depth[far] - depth[jump[far]];
    jump[place] = twice ? jump[far] : below;
  }

  /** A node and all that dominate it. */
  public BitSet chain(int node) {
    BitSet chain = new BitSet();
    for (int above = node; above != ROOT; above = above(above)) {
      chain.set(above);
    }
    return chain;
  }

  public boolean reaches(int node) {
    return node >= 0 && depth[node + 1] > 0;
  }

  /** The immediate dominator of a reached node, {@link #ROOT} at the top. */
  public int above(int node) {
    return parent[node + 1] - 1;
  }

  /** The nearest node that dominates both, or {@link #ROOT}. */
  public int common(int a, int b) {
    int left = a + 1;
    int right = b + 1;
    if (depth[left] < depth[right]) {
      right = climb(right, depth[left]);
    } else {
      left = climb(left, depth[right]);
    }
    while (left != right) {
      boolean apart = jump[left] != jump[right];
      left = apart ? jump[left] : parent[left];
      right = apart ? jump[right] : parent[right];
    }
    return left - 1;
  }

  private int climb(int place, int wanted) {
    int at = place;
    while (depth[at] > wanted) {
      at = depth[jump[at]] >= wanted ? jump[at] : parent[at];
    }
    return at;
  }
}
