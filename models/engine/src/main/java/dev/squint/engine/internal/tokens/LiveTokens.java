package dev.squint.engine.internal.tokens;

import dev.squint.onnx.internal.decoder.RowInput;
import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.layout.VisualSpan;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.site.SiteContext;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * The tokens alive at some depth of the decoder, in order.
 *
 * @param prompt for each row, its place in the unpruned prompt
 * @param visual for each row, which of the original visual tokens it is, or -1 for text
 */
public record LiveTokens(int[] prompt, int[] visual) {

  private static final int TEXT = -1;

  public static LiveTokens of(TokenLayout layout) {
    int[] visual = new int[layout.length()];
    Arrays.fill(visual, TEXT);
    int next = 0;
    for (VisualSpan span : layout.visual()) {
      for (int i = 0; i < span.length(); i++) {
        visual[span.start() + i] = next++;
      }
    }
    return new LiveTokens(IntStream.range(0, layout.length()).toArray(), visual);
  }

  public int count() {
    return prompt.length;
  }

  /** For each row 1 if it holds a visual token, else 0. */
  public long[] types() {
    return Arrays.stream(visual).mapToLong(v -> v == TEXT ? 0 : 1).toArray();
  }

  /** Rows that hold visual tokens. */
  public int[] visualRows() {
    return IntStream.range(0, visual.length).filter(row -> visual[row] != TEXT).toArray();
  }

  /** The rows of some tokens, ascending. */
  public int[] rows(Rows wanted) {
    int last = count() - 1;
    return switch (wanted) {
      case ALL -> IntStream.rangeClosed(0, last).toArray();
      case VISUAL -> visualRows();
      case CLS -> new int[0];
      case LAST -> new int[] {last};
      case TEXT -> textRows(0).toArray();
      case TEXT_AFTER_VISUAL -> textRows(lastVisualRow() + 1).toArray();
      case FIRST_AFTER_VISUAL -> textRows(lastVisualRow() + 1).limit(1).toArray();
    };
  }

  private IntStream textRows(int from) {
    return IntStream.range(from, count()).filter(row -> visual[row] == TEXT);
  }

  /** The rows that a segment is told. */
  public int[] rows(RowInput input) {
    int[] all =
        input.rows().stream()
            .flatMapToInt(wanted -> Arrays.stream(rows(wanted)))
            .distinct()
            .sorted()
            .toArray();
    return input
        .within()
        .map(
            wanted ->
                Arrays.stream(rows(wanted)).map(row -> Arrays.binarySearch(all, row)).toArray())
        .orElse(all);
  }

  private int lastVisualRow() {
    int row = visual.length - 1;
    while (row >= 0 && visual[row] == TEXT) {
      row--;
    }
    return row;
  }

  /** The original visual tokens that are alive. */
  public int[] aliveVisual() {
    return Arrays.stream(visual).filter(v -> v != TEXT).toArray();
  }

  /**
   * The rows that go on: text as it stands, in the places of visual tokens those of a passage. Rows
   * of merged tokens count on after the arriving ones.
   */
  public int[] rowsOf(TokenReduction passage) {
    int[] visualRows = visualRows();
    int arriving = visualRows.length;
    int[] rows = new int[count() - arriving + passage.visual().length];
    int size = 0;
    int next = 0;
    int seen = 0;
    for (int row = 0; row < count(); row++) {
      if (visual[row] == TEXT) {
        rows[size++] = row;
        continue;
      }
      for (; next < passage.visual().length && passage.places()[next] == seen; next++) {
        int token = passage.visual()[next];
        rows[size++] = token < arriving ? visualRows[token] : count() + token - arriving;
      }
      seen++;
    }
    return rows;
  }

  /** These tokens and after them one more for each origin, which it is like. */
  public LiveTokens extended(int[] originRows) {
    return new LiveTokens(extended(prompt, originRows), extended(visual, originRows));
  }

  private static int[] extended(int[] values, int[] originRows) {
    int[] all = Arrays.copyOf(values, values.length + originRows.length);
    for (int i = 0; i < originRows.length; i++) {
      all[values.length + i] = values[originRows[i]];
    }
    return all;
  }

  /** Rotary positions, on the first axis, of the visual tokens and of the text after them. */
  public SiteContext.Positions positions(RotaryPositions positions) {
    long[] axis = positions.axes()[0];
    return new SiteContext.Positions(
        at(axis, visualRows()), at(axis, rows(Rows.TEXT_AFTER_VISUAL)));
  }

  private static int[] at(long[] axis, int[] rows) {
    return Arrays.stream(rows).map(row -> Math.toIntExact(axis[row])).toArray();
  }

  public LiveTokens select(int[] rows) {
    return new LiveTokens(
        Arrays.stream(rows).map(row -> prompt[row]).toArray(),
        Arrays.stream(rows).map(row -> visual[row]).toArray());
  }
}
