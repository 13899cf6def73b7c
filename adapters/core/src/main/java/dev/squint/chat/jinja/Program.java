package dev.squint.chat.jinja;

import com.hubspot.jinjava.tree.Node;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/**
 * A template's compiled parts.
 *
 * @param root jinjava's tree, in which an expression or the head of a block is a number
 * @param prints the expressions that are printed
 * @param heads the heads of blocks
 * @param names all names that its expressions use
 * @param bodies what each node holds
 */
record Program(
    Node root,
    List<Expression> prints,
    List<Head> heads,
    Set<String> names,
    IdentityHashMap<Node, List<Node>> bodies) {

  static Program of(Node root, SkeletonWriter writer) {
    IdentityHashMap<Node, List<Node>> bodies = new IdentityHashMap<>();
    collect(root, bodies);
    return new Program(root, writer.prints(), writer.heads(), writer.names(), bodies);
  }

  private static void collect(Node node, IdentityHashMap<Node, List<Node>> bodies) {
    bodies.put(node, new ArrayList<>(node.getChildren()));
    node.getChildren().forEach(child -> collect(child, bodies));
  }

  List<Node> body(Node of) {
    return bodies.get(of);
  }

  boolean uses(String name) {
    return names.contains(name);
  }
}
