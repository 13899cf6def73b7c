package dev.squint.engine.internal.tokens;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.onnx.internal.decoder.SegmentModel;
import dev.squint.pruning.site.MergedToken;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Sums of arriving tokens: token i is {@code sum(weights[i * sources.length + j] * x[sources[j]])}.
 *
 * @param sources the tokens that are in any sum, ascending: live visual tokens in a {@link
 *     TokenReduction}, live rows in {@link SeamRows}
 * @param weights row-major, one row per sum
 */
public record MergeMatrix(int[] sources, float[] weights) {

  public static final MergeMatrix NONE = new MergeMatrix(new int[0], new float[0]);
  private static final int[] ANY_TOKEN = {0};

  /** Sums of live visual tokens. */
  static MergeMatrix of(List<MergedToken> tokens) {
    int[] sources =
        tokens.stream()
            .flatMapToInt(token -> Arrays.stream(token.sources()))
            .distinct()
            .sorted()
            .toArray();
    float[] weights = new float[tokens.size() * sources.length];
    for (int i = 0; i < tokens.size(); i++) {
      int[] from = tokens.get(i).sources();
      float[] weight = tokens.get(i).weights();
      for (int j = 0; j < from.length; j++) {
        weights[i * sources.length + Arrays.binarySearch(sources, from[j])] = weight[j];
      }
    }
    return new MergeMatrix(sources, weights);
  }

  /** How many sums. */
  public int tokens() {
    return sources.length == 0 ? 0 : weights.length / sources.length;
  }

  /** Adds the inputs of a merging seam; without sums these name any one token and no weight. */
  public void give(TensorScope scope, Map<String, OnnxTensor> inputs) {
    int[] from = tokens() == 0 ? ANY_TOKEN : sources;
    inputs.put(SegmentModel.MIX_SOURCES, scope.indices(from, from.length));
    inputs.put(
        SegmentModel.MIX_WEIGHTS,
        tokens() == 0
            ? scope.empty(OnnxJavaType.FLOAT, 0, from.length)
            : scope.floats(FloatBuffer.wrap(weights), tokens(), from.length));
  }
}
