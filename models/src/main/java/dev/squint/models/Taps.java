package dev.squint.models;

import ai.onnxruntime.OnnxTensor;
import dev.squint.models.graph.Tap;
import dev.squint.models.runtime.TensorScope;
import dev.squint.pruning.Observation;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * What a segment handed out besides its hidden states.
 *
 * @param tensors by output name
 * @param queries the rows of the attention maps, ascending
 * @param visual how many visual tokens the columns are
 */
record Taps(Map<String, OnnxTensor> tensors, int[] queries, int visual) {

  static final Taps NONE = new Taps(Map.of(), new int[0], 0);

  /** Some rows of an attention map, per head where the heads are kept apart. */
  Observation attention(Tap tap, int[] rows) {
    if (visual == 0) {
      return new Observation(0, 0, new float[0]);
    }
    FloatBuffer all = TensorScope.floatsOf(tensors.get(tap.output()));
    int size = queries.length * visual;
    int heads = size == 0 ? 0 : all.remaining() / size;
    float[] cells = new float[heads * rows.length * visual];
    for (int head = 0; head < heads; head++) {
      for (int i = 0; i < rows.length; i++) {
        int row = Arrays.binarySearch(queries, rows[i]);
        int to = (head * rows.length + i) * visual;
        all.get(head * size + row * visual, cells, to, visual);
      }
    }
    return new Observation(heads * rows.length, visual, cells);
  }

  /** One row per token it speaks of, or one row in all where it has one number per token. */
  Observation perToken(Tap tap) {
    if (visual == 0) {
      return new Observation(0, 0, new float[0]);
    }
    OnnxTensor tensor = tensors.get(tap.output());
    int tokens = TensorScope.size(tensor, 1);
    float[] cells = TensorScope.valuesOf(tensor);
    if (tap instanceof Tap.CoreNeurons) {
      return new Observation(1, tokens, cells);
    }
    return new Observation(tokens, tokens == 0 ? 0 : cells.length / tokens, cells);
  }

  /** These and what was handed out elsewhere for the same tokens. */
  Taps and(Map<String, OnnxTensor> others) {
    Map<String, OnnxTensor> all = new HashMap<>(tensors);
    all.putAll(others);
    return new Taps(all, queries, visual);
  }
}
