package dev.squint.adapters.chat.jinja;

import com.hubspot.jinjava.tree.Node;
import java.util.List;
import java.util.Set;

/**
 * A template's compiled parts.
 *
 * @param root jinjava's tree, in which an expression or the head of a block is a number
 * @param prints the expressions that are printed
 * @param heads the heads of blocks
 * @param names all names that its expressions use
 */
record Program(Node root, List<Expression> prints, List<Head> heads, Set<String> names) {

  boolean uses(String name) {
    return names.contains(name);
  }
}
