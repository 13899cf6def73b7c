package dev.squint.engine.internal.prune;

import ai.onnxruntime.OnnxTensor;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.engine.internal.tokens.LiveTokens;
import dev.squint.pruning.observe.Axis;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Rows;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What was observed in a segment.
 *
 * @param tensors by output name
 * @param live the tokens it is about
 */
public record TapValues(Map<String, OnnxTensor> tensors, LiveTokens live) {

  public static final TapValues NONE =
      new TapValues(Map.of(), new LiveTokens(new int[0], new int[0]));

  /** The last axis as columns, the others as rows. */
  Observation read(Need need) {
    OnnxTensor tensor = tensors.get(need.tap());
    List<Axis> axes = need.axes();
    int columns = axes.isEmpty() ? 1 : TensorScope.size(tensor, axes.size());
    for (Rows rows : need.rows()) {
      if (live.rows(rows).length == 0) {
        return ofNoRows(axes, tensor);
      }
    }
    float[] values = TensorScope.valuesOf(tensor);
    return Observation.over(columns == 0 ? 0 : values.length / columns, columns, values);
  }

  /** Zeros, as many as there are tokens; the graph was given another token instead of none. */
  private Observation ofNoRows(List<Axis> axes, OnnxTensor tensor) {
    int rows = 1;
    int columns = 1;
    for (int i = 0; i < axes.size(); i++) {
      int size = TensorScope.size(tensor, i + 1);
      rows *= columns;
      columns = axes.get(i).rows().map(chosen -> live.rows(chosen).length).orElse(size);
    }
    return Observation.over(rows, columns, new float[rows * columns]);
  }

  /** These and what was observed elsewhere of the same tokens. */
  public TapValues and(Map<String, OnnxTensor> others) {
    Map<String, OnnxTensor> all = new HashMap<>(tensors);
    all.putAll(others);
    return new TapValues(all, live);
  }
}
