package dev.squint.pruning;

import dev.squint.pruning.ObservationRequest.AttentionReceived;
import dev.squint.pruning.ObservationRequest.ClsAttention;
import dev.squint.pruning.ObservationRequest.CoreNeurons;
import dev.squint.pruning.ObservationRequest.EmbeddingSimilarity;
import dev.squint.pruning.ObservationRequest.FeatureSimilarity;
import dev.squint.pruning.ObservationRequest.Heads;
import dev.squint.pruning.ObservationRequest.HiddenStates;
import dev.squint.pruning.ObservationRequest.KeySimilarity;
import dev.squint.pruning.ObservationRequest.Keys;
import dev.squint.pruning.ObservationRequest.TextToVisualAttention;
import dev.squint.pruning.ObservationRequest.Tokens;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * What a network might show at a site: of the right shape, otherwise drawn.
 *
 * @param model the model
 * @param seed start of the draw
 * @param rank width of the features whose cosines are shown
 */
public record RandomObservations(ModelFacts model, long seed, int rank) {

  /** With features of eight numbers. */
  public RandomObservations(ModelFacts model, long seed) {
    this(model, seed, 8);
  }

  /** Whatever a site asks for. */
  public Observations of(SitePlan plan, SiteContext context) {
    Map<ObservationRequest, Observation> seen = new HashMap<>();
    for (ObservationRequest need : plan.needs()) {
      seen.put(need, observe(need, context));
    }
    return Observations.of(seen);
  }

  private Observation observe(ObservationRequest need, SiteContext context) {
    SplittableRandom random = new SplittableRandom(seed + need.toString().hashCode());
    int visual = context.visualTokens();
    int text = context.positions().text().length;
    if (need instanceof ClsAttention || need instanceof AttentionReceived) {
      return attention(random, 1, visual);
    }
    if (need instanceof TextToVisualAttention attention) {
      int rows =
          switch (attention.rows()) {
            case LAST -> 1;
            case TEXT_AFTER_VISUAL -> text;
            case TEXT -> context.layout().length() - context.originalVisualTokens();
          };
      int heads = attention.heads() == Heads.EACH ? model.decoder().heads() : 1;
      return attention(random, heads * rows, visual);
    }
    if (need instanceof CoreNeurons) {
      return counts(random, visual);
    }
    if (need instanceof HiddenStates states) {
      return gaussian(random, states.tokens() == Tokens.VISUAL ? visual : text, hidden());
    }
    if (need instanceof Keys keys) {
      int width = model.decoder().kvHeads() * model.decoder().headDim();
      return gaussian(random, keys.tokens() == Tokens.VISUAL ? visual : text, width);
    }
    if (need instanceof FeatureSimilarity || need instanceof KeySimilarity) {
      return similarity(random, context);
    }
    if (need instanceof EmbeddingSimilarity similarity) {
      Observation cosines = gaussian(random, text, context.enteredDecoder());
      return similarity.measure() == ObservationRequest.Measure.DOT
          ? cosines
          : new Observation(text, context.enteredDecoder(), clipped(cosines.values()));
    }
    throw new AssertionError("a request that is not known here: " + need);
  }

  private int hidden() {
    return model.decoder().hidden();
  }

  private static float[] clipped(float[] values) {
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) Math.tanh(values[i]);
    }
    return values;
  }

  private static Observation attention(SplittableRandom random, int rows, int columns) {
    float[] values = new float[rows * columns];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (Math.pow(random.nextDouble(), 4) / Math.max(1, columns));
    }
    return new Observation(rows, columns, values);
  }

  private static Observation counts(SplittableRandom random, int columns) {
    float[] values = new float[columns];
    for (int i = 0; i < columns; i++) {
      values[i] = random.nextInt(200);
    }
    return new Observation(1, columns, values);
  }

  private static Observation gaussian(SplittableRandom random, int rows, int columns) {
    float[] values = new float[rows * columns];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          (float)
              (Math.sqrt(-2 * Math.log(1 - random.nextDouble()))
                  * Math.cos(2 * Math.PI * random.nextDouble()));
    }
    return new Observation(rows, columns, values);
  }

  /** Cosines of drawn features, tile by tile. */
  private Observation similarity(SplittableRandom random, SiteContext context) {
    int tokens = context.visualTokens();
    Observation drawn = gaussian(random, tokens, rank);
    float[][] features = new float[tokens][];
    for (int i = 0; i < tokens; i++) {
      features[i] = unit(drawn.row(i));
    }
    List<Scope.Group> tiles = Scope.TILE.groups(context);
    int columns = tiles.stream().mapToInt(Scope.Group::size).max().orElse(0);
    float[] cosines = new float[tokens * columns];
    for (Scope.Group tile : tiles) {
      for (int i = tile.from(); i < tile.to(); i++) {
        for (int j = tile.from(); j <= i; j++) {
          float cosine = dot(features[i], features[j]);
          cosines[i * columns + j - tile.from()] = cosine;
          cosines[j * columns + i - tile.from()] = cosine;
        }
      }
    }
    return new Observation(tokens, columns, cosines);
  }

  private static float[] unit(float[] feature) {
    float norm = (float) Math.sqrt(dot(feature, feature));
    for (int k = 0; k < feature.length; k++) {
      feature[k] /= norm;
    }
    return feature;
  }

  private static float dot(float[] one, float[] other) {
    float sum = 0;
    for (int k = 0; k < one.length; k++) {
      sum += one[k] * other[k];
    }
    return sum;
  }
}
