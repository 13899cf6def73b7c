package dev.squint.models;

import ai.onnxruntime.OnnxTensor;
import dev.squint.models.graph.ExpressionWriter;
import dev.squint.models.runtime.TensorScope;
import dev.squint.pruning.Observation;
import dev.squint.pruning.observe.Expression;
import java.util.HashMap;
import java.util.Map;

/**
 * What was observed in a segment.
 *
 * @param tensors by output name
 */
record TapValues(Map<String, OnnxTensor> tensors) {

  static final TapValues NONE = new TapValues(Map.of());

  /** The last axis as columns, the others as rows. */
  Observation read(Expression need) {
    OnnxTensor tensor = tensors.get(ExpressionWriter.output(need));
    float[] values = TensorScope.valuesOf(tensor);
    int axes = need.axes().size();
    int columns = axes == 0 ? 1 : TensorScope.size(tensor, axes);
    return Observation.over(columns == 0 ? 0 : values.length / columns, columns, values);
  }

  /** These and what was observed elsewhere of the same tokens. */
  TapValues and(Map<String, OnnxTensor> others) {
    Map<String, OnnxTensor> all = new HashMap<>(tensors);
    all.putAll(others);
    return new TapValues(all);
  }
}
