package dev.squint.onnx.internal.decoder;

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

  /** Its name. */
  public String name() {
    return PREFIX
        + rows.stream().map(Rows::word).collect(Collectors.joining("+"))
        + within.map(one -> "/" + one.word()).orElse("");
  }
}
