package dev.squint.pruning.observe;

import dev.squint.error.StrategyException;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * 1 for the highest numbers along the last axis, 0 for the others. Of n numbers {@code max(1,
 * rint(n * share))} are the highest.
 *
 * @param of the tensor
 * @param share how many, above 0 and at most 1
 * @param ties what becomes of numbers as high as the least of them
 */
public record TopMask(Expression of, double share, Ties ties) implements Expression {

  /** What becomes of equal numbers. */
  public enum Ties {
    /** All count among the highest, so that there may be more of them. */
    ALL("all"),
    /** The lower place goes first, so that there are exactly as many as asked for. */
    FIRST("first");

    private final String word;

    Ties(String word) {
      this.word = word;
    }

    /** How it is written in the text of an expression. */
    public String word() {
      return word;
    }
  }

  public TopMask {
    Objects.requireNonNull(ties, "ties");
    if (Objects.requireNonNull(of, "of").axes().isEmpty()) {
      throw new StrategyException(
          "'top' takes a tensor with an axis, but %s has none".formatted(of));
    }
    if (!(share > 0 && share <= 1)) {
      throw new StrategyException("'top' takes a share above 0 and at most 1, not " + share);
    }
  }

  /** How many of so many numbers. */
  public int count(int numbers) {
    return Math.max(1, (int) Math.rint((float) numbers * (float) share));
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
    return algebra.top(this, operands.get(0));
  }

  @Override
  public String canonical() {
    return "top(" + of.canonical() + "," + share + "," + ties.word() + ")";
  }

  @Override
  public String toString() {
    return canonical();
  }
}
