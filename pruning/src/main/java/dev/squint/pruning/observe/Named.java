package dev.squint.pruning.observe;

import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * An expression under a name for people.
 *
 * @param name the name, as it stands in traces and messages
 * @param of what it names
 */
public record Named(String name, Expression of) implements Expression {

  public Named {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(of, "of");
  }

  @Override
  public List<Axis> axes() {
    return of.axes();
  }

  @Override
  public Stream<Expression> operands() {
    return Stream.of(of);
  }

  @Override
  public <T> T apply(Algebra<T> algebra, List<T> operands) {
    return operands.get(0);
  }

  @Override
  public String canonical() {
    return of.canonical();
  }

  @Override
  public String toString() {
    return name;
  }
}
