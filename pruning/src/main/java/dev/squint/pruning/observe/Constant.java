package dev.squint.pruning.observe;

import java.util.List;
import java.util.stream.Stream;

/**
 * A number; it meets tensors of any shape.
 *
 * @param value the number
 */
public record Constant(float value) implements Expression {

  @Override
  public List<Axis> axes() {
    return List.of();
  }

  @Override
  public Stream<Expression> operands() {
    return Stream.empty();
  }

  @Override
  public <T> T apply(Algebra<T> algebra, List<T> operands) {
    return algebra.constant(this);
  }

  @Override
  public String canonical() {
    return Float.toString(value);
  }

  @Override
  public String toString() {
    return canonical();
  }
}
