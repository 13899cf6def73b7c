package dev.squint.onnx.internal.decoder;

import dev.squint.pruning.observe.Choose;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Leaf;
import dev.squint.pruning.observe.Rows;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * An input that tells a segment which of its tokens are looked at, counted after the seam: int64
 * {@code [R]}, ascending.
 *
 * @param rows the tokens, those of all of these
 * @param within if there, where the tokens of this one are among them
 */
public record RowInput(List<Rows> rows, Optional<Rows> within) {

  private static final Set<Rows> LATE =
      EnumSet.of(Rows.LAST, Rows.TEXT_AFTER_VISUAL, Rows.FIRST_AFTER_VISUAL);

  /** What the names of all such inputs begin with. */
  public static final String PREFIX = "rows.";

  /** Sorts the rows. */
  public RowInput {
    rows = rows.stream().sorted().distinct().toList();
  }

  static RowInput of(Rows rows) {
    return new RowInput(List.of(rows), Optional.empty());
  }

  static RowInput of(Collection<Rows> rows) {
    return new RowInput(List.copyOf(rows), Optional.empty());
  }

  /** The input of a name, if it is one. */
  public static Optional<RowInput> parse(String name) {
    if (!name.startsWith(PREFIX)) {
      return Optional.empty();
    }
    String[] parts = name.substring(PREFIX.length()).split("/", -1);
    return Optional.of(
        new RowInput(
            Stream.of(parts[0].split("\\+")).map(RowInput::rows).toList(),
            parts.length == 1 ? Optional.empty() : Optional.of(rows(parts[1]))));
  }

  private static Rows rows(String word) {
    Set<Rows> all = EnumSet.allOf(Rows.class);
    return all.stream().filter(rows -> rows.word().equals(word)).findFirst().orElseThrow();
  }

  /** Whether its tokens come after all visual ones, so that in attention they ask them. */
  public boolean asks() {
    return within.isEmpty() && LATE.containsAll(rows);
  }

  /**
   * Whether all that is seen of a segment is attention of such tokens to visual ones, of which the
   * first may be of those that run now, the second also of those that lie in the cache.
   */
  static boolean serves(Expression tap) {
    return tap.leaves()
            .allMatch(
                leaf -> leaf.tensor() == Leaf.Tensor.PROBABILITIES && LATE.contains(leaf.rows()))
        && choices(tap).allMatch(choose -> choose.rows() == Rows.VISUAL);
  }

  private static Stream<Choose> choices(Expression of) {
    Stream<Choose> own = of instanceof Choose choose ? Stream.of(choose) : Stream.empty();
    return Stream.concat(own, of.operands().flatMap(RowInput::choices));
  }

  /** Its name. */
  public String name() {
    return PREFIX
        + rows.stream().map(Rows::word).collect(Collectors.joining("+"))
        + within.map(one -> "/" + one.word()).orElse("");
  }
}
