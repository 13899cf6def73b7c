package dev.squint.engine.internal.tokens;

import dev.squint.onnx.internal.decoder.RowInput;
import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.layout.VisualSpan;
import dev.squint.pruning.observe.Rows;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * The tokens that are live at some depth of the decoder, in order, and all conversions between what
 * they are counted in: see the package. Arrays are given out as they are; nobody writes into them.
 */
public final class LiveTokens {

  private static final int TEXT = -1;

  private final int[] promptPositions;
  private final int[] originalVisual;
  private final int[] visualRows;

  /**
   * Takes over both arrays.
   *
   * @param promptPositions for each live row its prompt position
   * @param originalVisual for each live row which original visual token it is, or -1 for text
   */
  public LiveTokens(int[] promptPositions, int[] originalVisual) {
    this.promptPositions = promptPositions;
    this.originalVisual = originalVisual;
    int[] rows = new int[originalVisual.length];
    int size = 0;
    for (int row = 0; row < rows.length; row++) {
      if (originalVisual[row] != TEXT) {
        rows[size++] = row;
      }
    }
    this.visualRows = Arrays.copyOf(rows, size);
  }

  /** All tokens of a prompt. */
  public static LiveTokens of(TokenLayout layout) {
    int[] originalVisual = new int[layout.length()];
    Arrays.fill(originalVisual, TEXT);
    int next = 0;
    for (VisualSpan span : layout.visual()) {
      for (int i = 0; i < span.length(); i++) {
        originalVisual[span.start() + i] = next++;
      }
    }
    return new LiveTokens(IntStream.range(0, layout.length()).toArray(), originalVisual);
  }

  /** For each live row its prompt position. */
  public int[] promptPositions() {
    return promptPositions;
  }

  /** For each live row which original visual token it is, or -1 for text. */
  public int[] originalVisual() {
    return originalVisual;
  }

  /** How many live rows. */
  public int count() {
    return promptPositions.length;
  }

  private boolean isVisual(int row) {
    return originalVisual[row] != TEXT;
  }

  /** For each live row 1 if it holds a visual token, else 0. */
  public long[] types() {
    long[] types = new long[count()];
    for (int row : visualRows) {
      types[row] = 1;
    }
    return types;
  }

  /** For each live row whether it holds a visual token. */
  public boolean[] visualMask() {
    boolean[] mask = new boolean[count()];
    for (int row : visualRows) {
      mask[row] = true;
    }
    return mask;
  }

  /** Every live row. */
  public int[] allRows() {
    return IntStream.range(0, count()).toArray();
  }

  /** For each live visual token its live row. */
  public int[] visualRows() {
    return visualRows;
  }

  /** For each live visual token which original visual token it is. */
  public int[] liveOriginals() {
    return gathered(originalVisual, visualRows);
  }

  /** For some live visual tokens which original visual token each is. */
  public int[] originals(int[] liveVisual) {
    return gathered(originalVisual, rowsOf(liveVisual));
  }

  /** What stands at the prompt positions of the live rows. */
  public long[] gathered(long[] byPromptPosition) {
    return gathered(byPromptPosition, allRows());
  }

  /** What stands at the prompt positions of some live rows. */
  public long[] gathered(long[] byPromptPosition, int[] rows) {
    long[] there = new long[rows.length];
    for (int i = 0; i < rows.length; i++) {
      there[i] = byPromptPosition[promptPositions[rows[i]]];
    }
    return there;
  }

  private static int[] gathered(int[] byRow, int[] rows) {
    int[] there = new int[rows.length];
    for (int i = 0; i < rows.length; i++) {
      there[i] = byRow[rows[i]];
    }
    return there;
  }

  /** The live rows of some tokens, ascending. */
  public int[] rows(Rows wanted) {
    return switch (wanted) {
      case ALL -> allRows();
      case VISUAL -> visualRows();
      case CLS -> new int[0];
      case LAST -> new int[] {count() - 1};
      case TEXT -> textRows(0).toArray();
      case TEXT_AFTER_VISUAL -> textRows(lastVisualRow() + 1).toArray();
      case FIRST_AFTER_VISUAL -> textRows(lastVisualRow() + 1).limit(1).toArray();
    };
  }

  private IntStream textRows(int from) {
    return IntStream.range(from, count()).filter(row -> !isVisual(row));
  }

  /** The live rows that a segment is told. */
  public int[] rows(RowInput input) {
    int[] all =
        input.rows().size() == 1
            ? rows(input.rows().iterator().next())
            : input.rows().stream()
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
    return visualRows.length == 0 ? -1 : visualRows[visualRows.length - 1];
  }

  /**
   * The live rows that go on: text as it stands, in the places of visual tokens those of a
   * reduction. Merged rows count after the arriving ones.
   */
  int[] keptRows(TokenReduction reduction) {
    int arriving = visualRows.length;
    int[] going = reduction.liveVisual();
    int[] rows = new int[count() - arriving + going.length];
    int size = 0;
    int next = 0;
    int liveVisual = 0;
    for (int row = 0; row < count(); row++) {
      if (!isVisual(row)) {
        rows[size++] = row;
        continue;
      }
      for (; next < going.length && reduction.livePlaces()[next] == liveVisual; next++) {
        int token = going[next];
        rows[size++] = token < arriving ? visualRows[token] : count() + token - arriving;
      }
      liveVisual++;
    }
    return rows;
  }

  /** For each merged token the live row that it descends from. */
  int[] originRows(TokenReduction reduction) {
    return rowsOf(reduction.liveOrigins());
  }

  /** Sums of live visual tokens as sums of live rows. */
  MergeMatrix inRows(MergeMatrix merges) {
    return new MergeMatrix(rowsOf(merges.sources()), merges.weights());
  }

  private int[] rowsOf(int[] liveVisual) {
    return gathered(visualRows, liveVisual);
  }

  /** These rows and after them one more for each merged token, which is like its origin. */
  LiveTokens extended(int[] originRows) {
    return new LiveTokens(
        extended(promptPositions, originRows), extended(originalVisual, originRows));
  }

  private static int[] extended(int[] byRow, int[] originRows) {
    int[] all = Arrays.copyOf(byRow, byRow.length + originRows.length);
    for (int i = 0; i < originRows.length; i++) {
      all[byRow.length + i] = byRow[originRows[i]];
    }
    return all;
  }

  /** Some of these rows, in their order there. */
  LiveTokens select(int[] rows) {
    return new LiveTokens(gathered(promptPositions, rows), gathered(originalVisual, rows));
  }
}
