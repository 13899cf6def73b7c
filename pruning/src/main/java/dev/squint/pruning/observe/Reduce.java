package dev.squint.pruning.observe;

import dev.squint.error.StrategyException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Axes folded away.
 *
 * @param function how
 * @param of the tensor
 * @param places which axes, counted from 0, ascending
 */
public record Reduce(Function function, Expression of, List<Integer> places) implements Expression {

  /** How numbers become one. */
  public enum Function {
    /** Their sum. */
    SUM,
    /** Their mean. */
    MEAN,
    /** The greatest. */
    MAX,
    /** The least. */
    MIN,
    /** The square root of the sum of their squares. */
    NORM;

    /** How it is written in the text of an expression. */
    public String word() {
      return this == MAX || this == MIN ? "reduce-" + lower() : lower();
    }

    private String lower() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  public Reduce {
    Objects.requireNonNull(function, "function");
    Objects.requireNonNull(of, "of");
    places = places.stream().sorted().distinct().toList();
    if (places.isEmpty()) {
      throw new StrategyException("'%s' names no axis to fold".formatted(function.word()));
    }
  }

  /** Over the axes of some kinds, of which the tensor has one each. */
  static Reduce over(Function function, Expression of, Axis.Kind... kinds) {
    return new Reduce(function, of, Stream.of(kinds).map(kind -> place(of, kind)).toList());
  }

  /** Over one axis. */
  static Reduce over(Function function, Expression of, int place) {
    List<Axis> axes = of.axes();
    int counted = place < 0 ? place + axes.size() : place;
    if (counted < 0 || counted >= axes.size()) {
      throw new StrategyException(
          "there is no axis %d to fold in %s with the axes %s".formatted(place, of, axes));
    }
    return new Reduce(function, of, List.of(counted));
  }

  /** Where the only axis of a kind is. */
  static int place(Expression of, Axis.Kind kind) {
    List<Axis> axes = of.axes();
    int[] found = IntStream.range(0, axes.size()).filter(i -> axes.get(i).kind() == kind).toArray();
    if (found.length != 1) {
      throw new StrategyException(
          "%s has %s axis '%s' among its axes %s; name %s"
              .formatted(
                  of,
                  found.length == 0 ? "no" : "more than one",
                  kind.word(),
                  axes,
                  found.length == 0 ? "one of them" : "its place instead"));
    }
    return found[0];
  }

  @Override
  public List<Axis> axes() {
    List<Axis> left = new ArrayList<>();
    for (int i = 0; i < of.axes().size(); i++) {
      if (!places.contains(i)) {
        left.add(of.axes().get(i));
      }
    }
    return List.copyOf(left);
  }

  @Override
  public Stream<Expression> operands() {
    return Stream.of(of);
  }

  @Override
  public <T> T apply(Algebra<T> algebra, List<T> operands) {
    return algebra.reduce(this, operands.get(0));
  }

  @Override
  public String canonical() {
    return places.stream()
        .map(this::axis)
        .collect(Collectors.joining(",", function.word() + "(" + of.canonical() + ",", ")"));
  }

  /** By its name if that tells it from the others, else by its place. */
  private String axis(int place) {
    Axis.Kind kind = of.axes().get(place).kind();
    long alike = of.axes().stream().filter(axis -> axis.kind() == kind).count();
    return alike == 1 ? kind.word() : Integer.toString(place);
  }

  @Override
  public String toString() {
    return canonical();
  }
}
