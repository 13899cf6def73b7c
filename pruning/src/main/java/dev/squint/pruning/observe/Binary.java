package dev.squint.pruning.observe;

import dev.squint.error.StrategyException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * An operator on two tensors.
 *
 * <p>Number by number, the axes of one are those of the other or some of them in the same order;
 * what lacks an axis is repeated along it. {@link Function#MATMUL} multiplies matrices {@code [...,
 * n, d]} and {@code [..., d, m]} with equal leading axes, or a matrix {@code [..., n, d]} and a
 * vector {@code [d]}; query heads meet the key heads of their group.
 *
 * @param function what is done
 * @param first one tensor
 * @param second the other
 */
public record Binary(Function function, Expression first, Expression second) implements Expression {

  /** What is done to two tensors. */
  public enum Function {
    /** Sum. */
    ADD,
    /** Difference. */
    SUB,
    /** Product, number by number. */
    MUL,
    /** Quotient. */
    DIV,
    /** The greater one. */
    MAX,
    /** The lesser one. */
    MIN,
    /** 1 where the first is greater than the second, else 0. */
    GREATER,
    /** 1 where the first is less than the second, else 0. */
    LESS,
    /** Product of matrices. */
    MATMUL;

    /** How it is written in the text of an expression. */
    public String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  public Binary {
    Objects.requireNonNull(function, "function");
    List<Axis> one = Objects.requireNonNull(first, "first").axes();
    List<Axis> other = Objects.requireNonNull(second, "second").axes();
    Expression.requireOnePart(first, second);
    if (function == Function.MATMUL) {
      requireMatrices(first, second);
    } else if (!fits(one, other) && !fits(other, one)) {
      throw new StrategyException(
          "'%s' takes tensors of which one has the axes of the other or some of them, not %s and %s"
              .formatted(function.word(), one, other));
    }
  }

  private static void requireMatrices(Expression first, Expression second) {
    List<Axis> one = first.axes();
    List<Axis> other = second.axes();
    boolean vector = other.size() == 1;
    boolean shaped =
        one.size() >= 2
            && (vector || other.size() == one.size())
            && one.get(one.size() - 1).equals(other.get(vector ? 0 : other.size() - 2));
    for (int i = 0; shaped && !vector && i < one.size() - 2; i++) {
      shaped = one.get(i).equals(other.get(i)) || isGrouped(one.get(i), other.get(i));
    }
    if (!shaped) {
      throw new StrategyException(
          "'matmul' takes matrices [..., n, d] and [..., d, m], not %s and %s; transpose one of them"
              .formatted(one, other));
    }
  }

  private static boolean isGrouped(Axis one, Axis other) {
    return one.kind() == Axis.Kind.HEADS && other.kind() == Axis.Kind.KV_HEADS;
  }

  /** Whether query heads meet heads of keys or values that they share. */
  public boolean isGrouped() {
    return function == Function.MATMUL
        && second.axes().size() > 2
        && isGrouped(first.axes().get(0), second.axes().get(0));
  }

  private static boolean fits(List<Axis> whole, List<Axis> part) {
    return missing(whole, part).size() + part.size() == whole.size();
  }

  /**
   * Which axes of a tensor another one lacks.
   *
   * @return their places in the tensor, ascending
   */
  public static List<Integer> missing(List<Axis> whole, List<Axis> part) {
    List<Integer> missing = new ArrayList<>();
    int next = part.size() - 1;
    for (int i = whole.size() - 1; i >= 0; i--) {
      if (next >= 0 && whole.get(i).equals(part.get(next))) {
        next--;
      } else {
        missing.add(0, i);
      }
    }
    return missing;
  }

  /** Whether what comes out is 1 or 0. */
  public boolean isMask() {
    return function == Function.GREATER || function == Function.LESS;
  }

  @Override
  public List<Axis> axes() {
    List<Axis> one = first.axes();
    List<Axis> other = second.axes();
    if (function != Function.MATMUL) {
      return one.size() >= other.size() ? one : other;
    }
    List<Axis> axes = new ArrayList<>(one.subList(0, one.size() - 1));
    if (other.size() > 1) {
      axes.add(other.get(other.size() - 1));
    }
    return List.copyOf(axes);
  }

  @Override
  public Stream<Expression> operands() {
    return Stream.of(first, second);
  }

  @Override
  public <T> T apply(Algebra<T> algebra, List<T> operands) {
    return algebra.binary(this, operands.get(0), operands.get(1));
  }

  @Override
  public String canonical() {
    return function.word() + "(" + first.canonical() + "," + second.canonical() + ")";
  }

  @Override
  public String toString() {
    return canonical();
  }
}
