package dev.squint.engine.internal.tokens;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.onnx.internal.decoder.SegmentModel;
import dev.squint.pruning.site.MergedToken;
import dev.squint.pruning.site.Scope;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.SiteContext;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * What goes on from a site, in order. The visual tokens that arrive count from 0; after them, as if
 * they had arrived too, stand those that the mix makes.
 *
 * @param visual the visual tokens that go on
 * @param places for each of them the arriving visual token in whose place it stands, never
 *     descending
 * @param origins for each token of the mix which arriving visual token it descends from
 * @param mix how merged tokens are made
 */
public record TokenReduction(int[] visual, int[] places, int[] origins, Mix mix) {

  private static final int DROPPED = -1;
  private static final int[] ANY_TOKEN = {0};

  /**
   * Sums of arriving tokens: token i is {@code sum(weights[i * sources.length + j] *
   * x[sources[j]])}.
   *
   * @param sources the tokens that are in any sum, ascending
   * @param weights row-major, one row per sum
   */
  public record Mix(int[] sources, float[] weights) {

    public static final Mix NONE = new Mix(new int[0], new float[0]);

    private static Mix of(List<MergedToken> tokens) {
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
      return new Mix(sources, weights);
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

    /** The same with tokens that are found at other places. */
    public Mix at(int[] places) {
      return new Mix(Arrays.stream(sources).map(source -> places[source]).toArray(), weights);
    }
  }

  /** All that arrives, as it is. */
  public static TokenReduction all(int tokens) {
    int[] visual = new int[tokens];
    Arrays.setAll(visual, i -> i);
    return new TokenReduction(visual, visual, new int[0], Mix.NONE);
  }

  /** Puts a choice into order: kept tokens at their place, added ones after their tile. */
  public static TokenReduction of(SiteContext context, Selection selection) {
    int arriving = context.visualTokens();
    List<MergedToken> merged = selection.merged();
    int[] madeAt = new int[arriving];
    Arrays.fill(madeAt, DROPPED);
    for (int kept : selection.keptVisual()) {
      madeAt[kept] = kept;
    }
    for (int i = 0; i < merged.size(); i++) {
      int origin = merged.get(i).origin();
      if (selection.keeps(origin)) {
        madeAt[origin] = arriving + i;
      }
    }
    int[] visual = new int[selection.size()];
    int[] places = new int[visual.length];
    int next = 0;
    for (Scope.Group tile : Scope.TILE.groups(context)) {
      for (int token = tile.from(); token < tile.to(); token++) {
        if (madeAt[token] != DROPPED) {
          places[next] = token;
          visual[next++] = madeAt[token];
        }
      }
      for (int i = 0; i < merged.size(); i++) {
        int origin = merged.get(i).origin();
        if (origin >= tile.from() && origin < tile.to() && !selection.keeps(origin)) {
          places[next] = tile.to() - 1;
          visual[next++] = arriving + i;
        }
      }
    }
    return new TokenReduction(
        visual, places, merged.stream().mapToInt(MergedToken::origin).toArray(), Mix.of(merged));
  }
}
