package dev.squint.pruning.observe;

import dev.squint.error.StrategyException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Some of all tokens.
 *
 * @param of a tensor with one axis {@link Axis.Kind#TOKENS}, which counts all tokens of its place
 * @param rows which of them
 */
public record Choose(Expression of, Rows rows) implements Expression {

  public Choose {
    Objects.requireNonNull(of, "of");
    Objects.requireNonNull(rows, "rows");
    Axis axis = of.axes().get(Reduce.place(of, Axis.Kind.TOKENS));
    if (!axis.rows().equals(Optional.of(Rows.ALL))) {
      throw new StrategyException(
          "tokens are chosen among all of a place, but %s speaks of '%s' only; choose them once"
              .formatted(of, axis));
    }
    if (rows == Rows.ALL) {
      throw new StrategyException("all tokens are there already; choose some of them");
    }
    Leaf leaf = of.leaves().findFirst().orElseThrow();
    new Leaf(leaf.place(), leaf.tensor(), rows);
  }

  /** Which axis of the tensor, counted from 0. */
  public int place() {
    return Reduce.place(of, Axis.Kind.TOKENS);
  }

  @Override
  public List<Axis> axes() {
    List<Axis> axes = new ArrayList<>(of.axes());
    axes.set(place(), Axis.of(Axis.Kind.TOKENS, rows));
    return List.copyOf(axes);
  }

  @Override
  public Stream<Expression> operands() {
    return Stream.of(of);
  }

  @Override
  public <T> T apply(Algebra<T> algebra, List<T> operands) {
    return algebra.choose(this, operands.get(0));
  }

  @Override
  public String canonical() {
    return "choose(" + of.canonical() + "," + rows.word() + ")";
  }

  @Override
  public String toString() {
    return canonical();
  }
}
