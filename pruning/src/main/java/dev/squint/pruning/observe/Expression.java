package dev.squint.pruning.observe;

import dev.squint.error.StrategyException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What is observed in the network: a small tensor expression over named tensors of a {@link Place}.
 * A value, checked when it is made; every method returns a new expression.
 *
 * <p>A strategy names expressions in the needs of its {@link dev.squint.pruning.site.SitePlan} and
 * finds for each an {@link dev.squint.pruning.observe.Observation}, a matrix: the last axis is its
 * columns, the others its rows, the first axis slowest; a vector is one row. What the vision tower
 * sees image by image is put together over all visual tokens of the prompt: the first axis of
 * visual tokens counts those alive in all tiles, a second one those of the same tile (filled up
 * with zeros to the longest tile), and what has none has a row per tile. The same holds for
 * features and embeddings where visual tokens are paired with each other; there all else speaks of
 * all tokens at once. In the decoder layers there are no tiles.
 *
 * <p>Arithmetic is that of 32-bit floats. Where a prompt has no token of the rows looked at, their
 * axis has length 0, and what is folded over it is 0.
 */
public sealed interface Expression
    permits Leaf, Constant, Unary, Binary, Reduce, Choose, TopMask, Named {

  /** The axes of the tensor, without the batch; none for a single number. */
  List<Axis> axes();

  /** What it is computed from. */
  Stream<Expression> operands();

  /** Applies its operator to operands that were built before. */
  <T> T apply(Algebra<T> algebra, List<T> operands);

  /** Its text, the same for all expressions that compute the same way; {@link #parse} reads it. */
  String canonical();

  /**
   * Reads the text of an expression, such as {@code norm(decoder.3.v[visual],head-width)}.
   *
   * @param text what {@link #canonical} writes; blanks do not matter
   * @throws StrategyException if it is no expression, with the place where it goes wrong
   */
  static Expression parse(String text) {
    return new ExpressionParser(text).read();
  }

  /**
   * Builds it from its leaves upwards, what occurs twice once.
   *
   * @param algebra what is made of each operator
   * @param built by canonical text what was built before, added to
   * @return what the whole is made into
   */
  default <T> T build(Algebra<T> algebra, Map<String, T> built) {
    T known = built.get(canonical());
    if (known != null) {
      return known;
    }
    T made = apply(algebra, operands().map(operand -> operand.build(algebra, built)).toList());
    built.put(canonical(), made);
    return made;
  }

  /** The named tensors that it looks at. */
  default Stream<Leaf> leaves() {
    return this instanceof Leaf leaf
        ? Stream.of(leaf)
        : operands().flatMap(Expression::leaves).distinct();
  }

  /** The kinds of rows that it looks at. */
  default Stream<Rows> chosenRows() {
    Stream<Rows> own =
        this instanceof Leaf leaf
            ? Stream.of(leaf.rows())
            : this instanceof Choose choose ? Stream.of(choose.rows()) : Stream.empty();
    return Stream.concat(own, operands().flatMap(Expression::chosenRows)).distinct();
  }

  /**
   * In which part of the network it is computed.
   *
   * @throws StrategyException if it looks at nothing
   */
  default Place.Part part() {
    return leaves()
        .findFirst()
        .map(leaf -> leaf.place().kind().part())
        .orElseThrow(() -> new StrategyException(this + " looks at no tensor of the network"));
  }

  /** Whether visual tokens are paired with visual tokens somewhere in it. */
  default boolean pairsVisual() {
    return axes().stream().filter(Axis::isVisual).count() > 1
        || operands().anyMatch(Expression::pairsVisual);
  }

  /** The same under a name for people. */
  default Expression named(String name, Object... arguments) {
    return new Named(name.formatted(arguments), this);
  }

  /** The same without its name. */
  default Expression unnamed() {
    return this instanceof Named named ? named.of().unnamed() : this;
  }

  /** Number by number; see {@link Binary} for the shapes. */
  default Expression plus(Expression other) {
    return new Binary(Binary.Function.ADD, this, other);
  }

  /** Number by number. */
  default Expression minus(Expression other) {
    return new Binary(Binary.Function.SUB, this, other);
  }

  /** Number by number. */
  default Expression times(Expression other) {
    return new Binary(Binary.Function.MUL, this, other);
  }

  /** Number by number. */
  default Expression over(Expression other) {
    return new Binary(Binary.Function.DIV, this, other);
  }

  /** The greater of two, number by number. */
  default Expression max(Expression other) {
    return new Binary(Binary.Function.MAX, this, other);
  }

  /** The lesser of two, number by number. */
  default Expression min(Expression other) {
    return new Binary(Binary.Function.MIN, this, other);
  }

  /** 1 where it is greater, else 0. */
  default Expression greater(Expression other) {
    return new Binary(Binary.Function.GREATER, this, other);
  }

  /** 1 where it is less, else 0. */
  default Expression less(Expression other) {
    return new Binary(Binary.Function.LESS, this, other);
  }

  /** With a number added. */
  default Expression plus(double number) {
    return plus(new Constant((float) number));
  }

  /** Times a number. */
  default Expression times(double number) {
    return times(new Constant((float) number));
  }

  /** Divided by a number. */
  default Expression over(double number) {
    return over(new Constant((float) number));
  }

  /** 1 where it is greater than a number, else 0. */
  default Expression greater(double number) {
    return greater(new Constant((float) number));
  }

  /** Product of matrices; see {@link Binary} for the shapes. */
  default Expression matmul(Expression other) {
    return new Binary(Binary.Function.MATMUL, this, other);
  }

  /** Dot products of rows, {@code [..., n, d]} and {@code [..., m, d]} to {@code [..., n, m]}. */
  default Expression dot(Expression other) {
    return matmul(other.transpose());
  }

  /** Cosines of rows, shaped as {@link #dot}; 0 if one of them is zero. */
  default Expression cosine(Expression other) {
    return normalise().dot(other.normalise());
  }

  /** An operator on each number or along the last axis. */
  default Expression map(Unary.Function function) {
    return new Unary(function, this);
  }

  /** Square roots. */
  default Expression sqrt() {
    return map(Unary.Function.SQRT);
  }

  /** Exponentials. */
  default Expression exp() {
    return map(Unary.Function.EXP);
  }

  /** Natural logarithms. */
  default Expression log() {
    return map(Unary.Function.LOG);
  }

  /** Absolute values. */
  default Expression abs() {
    return map(Unary.Function.ABS);
  }

  /** Each, but at least 0. */
  default Expression relu() {
    return map(Unary.Function.RELU);
  }

  /** Nearest whole numbers, of two the even one. */
  default Expression round() {
    return map(Unary.Function.ROUND);
  }

  /** Softmax over the last axis. */
  default Expression softmax() {
    return map(Unary.Function.SOFTMAX);
  }

  /** Divided by the Euclidean norm along the last axis; zeros stay zeros. */
  default Expression normalise() {
    return map(Unary.Function.NORMALISE);
  }

  /** The last two axes exchanged. */
  default Expression transpose() {
    return map(Unary.Function.TRANSPOSE);
  }

  /** {@code [heads, tokens, head-width]} to {@code [tokens, heads * head-width]}. */
  default Expression joinHeads() {
    return map(Unary.Function.JOIN_HEADS);
  }

  /** Sums over axes of which there is one of each kind. */
  default Expression sum(Axis.Kind... axes) {
    return Reduce.over(Reduce.Function.SUM, this, axes);
  }

  /** Means over axes of which there is one of each kind. */
  default Expression mean(Axis.Kind... axes) {
    return Reduce.over(Reduce.Function.MEAN, this, axes);
  }

  /** The greatest along axes of which there is one of each kind. */
  default Expression max(Axis.Kind... axes) {
    return Reduce.over(Reduce.Function.MAX, this, axes);
  }

  /** The least along axes of which there is one of each kind. */
  default Expression min(Axis.Kind... axes) {
    return Reduce.over(Reduce.Function.MIN, this, axes);
  }

  /** Euclidean norms along axes of which there is one of each kind. */
  default Expression norm(Axis.Kind... axes) {
    return Reduce.over(Reduce.Function.NORM, this, axes);
  }

  /** Folds one axis, counted from 0, or from -1 at the end. */
  default Expression reduce(Reduce.Function function, int axis) {
    return Reduce.over(function, this, axis);
  }

  /** Of all tokens along the axis {@link Axis.Kind#TOKENS} some. */
  default Expression choose(Rows rows) {
    return new Choose(this, rows);
  }

  /** A mask of the highest numbers along the last axis. */
  default Expression top(double share, TopMask.Ties ties) {
    return new TopMask(this, share, ties);
  }

  /** Refuses what no single graph can compute. */
  static void requireOnePart(Expression first, Expression second) {
    Set<Place.Part> parts = EnumSet.noneOf(Place.Part.class);
    List<Leaf> leaves = new ArrayList<>(Stream.concat(first.leaves(), second.leaves()).toList());
    leaves.forEach(leaf -> parts.add(leaf.place().kind().part()));
    if (parts.size() > 1) {
      throw new StrategyException(
          "an expression looks at one part of the network, but %s lies in %s and %s in %s; observe them apart"
              .formatted(
                  leaves.get(0),
                  leaves.get(0).place().kind().part(),
                  leaves.get(leaves.size() - 1),
                  leaves.get(leaves.size() - 1).place().kind().part()));
    }
  }
}
