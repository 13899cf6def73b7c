package dev.squint.pruning.observe;

/**
 * What can be made of an expression, operator by operator: a graph, numbers. Operands arrive built.
 *
 * @param <T> what is made of each part
 */
public interface Algebra<T> {

  /** A named tensor of the network. */
  T leaf(Leaf leaf);

  /** A number. */
  T constant(Constant constant);

  /** An operator on one tensor. */
  T unary(Unary node, T of);

  /** An operator on two tensors. */
  T binary(Binary node, T first, T second);

  /** One or several axes folded away. */
  T reduce(Reduce node, T of);

  /** Some tokens of an axis. */
  T choose(Choose node, T of);

  /** The highest of the last axis, as a mask. */
  T top(TopMask node, T of);
}
