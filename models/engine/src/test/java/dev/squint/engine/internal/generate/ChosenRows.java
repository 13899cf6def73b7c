package dev.squint.engine.internal.generate;

import dev.squint.onnx.internal.decoder.RowInput;
import dev.squint.pruning.observe.Rows;
import java.util.List;

/**
 * Rows by hand: of visual tokens, of the text after them, and of all text that asks.
 *
 * @param queries what {@link Rows#TEXT} stands for
 * @param columns what {@link Rows#VISUAL} stands for
 * @param text what {@link Rows#TEXT_AFTER_VISUAL} stands for
 */
public record ChosenRows(int[] queries, int[] columns, int[] text)
    implements SegmentState.Observed {

  @Override
  public int[] rows(RowInput input) {
    if (input.within().isPresent()) {
      throw new AssertionError("one kind of rows expected: " + input);
    }
    return input.rows().equals(List.of(Rows.VISUAL))
        ? columns
        : input.rows().equals(List.of(Rows.TEXT_AFTER_VISUAL)) ? text : queries;
  }
}
