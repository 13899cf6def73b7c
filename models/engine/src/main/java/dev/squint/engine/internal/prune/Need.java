package dev.squint.engine.internal.prune;

import dev.squint.onnx.internal.observe.TapNames;
import dev.squint.pruning.observe.Axis;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Place;
import dev.squint.pruning.observe.Rows;
import java.util.List;

/**
 * Something that a site observes, with what is the same in every request.
 *
 * @param expression what the strategy asked for
 * @param part where it is computed
 * @param canonical its text
 * @param tap the output that gives it
 * @param axes its axes
 * @param rows the kinds of rows that it looks at
 */
record Need(
    Expression expression,
    Place.Part part,
    String canonical,
    String tap,
    List<Axis> axes,
    List<Rows> rows) {

  static Need of(Expression expression) {
    return new Need(
        expression,
        expression.part(),
        expression.canonical(),
        TapNames.output(expression),
        expression.axes(),
        expression.chosenRows().toList());
  }
}
