package dev.squint.pruning.observe;

import dev.squint.error.StrategyException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * An operator on one tensor.
 *
 * @param function what is done
 * @param of the tensor
 */
public record Unary(Function function, Expression of) implements Expression {

  /** What is done to a tensor. */
  public enum Function {
    /** Each number negated. */
    NEGATE,
    /** The square root of each. */
    SQRT,
    /** The exponential of each. */
    EXP,
    /** The natural logarithm of each. */
    LOG,
    /** Each without its sign. */
    ABS,
    /** Each, but at least 0. */
    RELU,
    /** The nearest whole number to each, of two the even one. */
    ROUND,
    /** Softmax over the last axis. */
    SOFTMAX,
    /** Along the last axis divided by the Euclidean norm; zeros stay zeros. */
    NORMALISE,
    /** The last two axes exchanged. */
    TRANSPOSE,
    /** {@code [heads, tokens, head-width]} to {@code [tokens, heads * head-width]}. */
    JOIN_HEADS;

    /** How it is written in the text of an expression. */
    public String word() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  public Unary {
    Objects.requireNonNull(function, "function");
    int rank = Objects.requireNonNull(of, "of").axes().size();
    int needed =
        switch (function) {
          case SOFTMAX, NORMALISE -> 1;
          case TRANSPOSE -> 2;
          default -> 0;
        };
    if (rank < needed) {
      throw new StrategyException(
          "'%s' takes a tensor with at least %d axes, but %s has the axes %s"
              .formatted(function.word(), needed, of, of.axes()));
    }
    if (function == Function.JOIN_HEADS && !hasHeads(of.axes())) {
      throw new StrategyException(
          "'%s' takes a tensor [heads, tokens, head-width], but %s has the axes %s"
              .formatted(function.word(), of, of.axes()));
    }
  }

  private static boolean hasHeads(List<Axis> axes) {
    return axes.size() == 3
        && (axes.get(0).kind() == Axis.Kind.HEADS || axes.get(0).kind() == Axis.Kind.KV_HEADS)
        && axes.get(2).kind() == Axis.Kind.HEAD_WIDTH;
  }

  @Override
  public List<Axis> axes() {
    List<Axis> axes = new ArrayList<>(of.axes());
    if (function == Function.TRANSPOSE) {
      axes.add(axes.size() - 2, axes.remove(axes.size() - 1));
    } else if (function == Function.JOIN_HEADS) {
      boolean grouped = axes.get(0).kind() == Axis.Kind.KV_HEADS;
      return List.of(
          axes.get(1), Axis.of(grouped ? Axis.Kind.JOINED_KV_HEADS : Axis.Kind.JOINED_HEADS));
    }
    return List.copyOf(axes);
  }

  @Override
  public Stream<Expression> operands() {
    return Stream.of(of);
  }

  @Override
  public <T> T apply(Algebra<T> algebra, List<T> operands) {
    return algebra.unary(this, operands.get(0));
  }

  @Override
  public String canonical() {
    return function.word() + "(" + of.canonical() + ")";
  }

  @Override
  public String toString() {
    return canonical();
  }
}
