package dev.squint.pruning;

import dev.squint.pruning.observe.Axis;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Leaf;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observations;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.shape.DecoderShape;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.Scope;
import dev.squint.pruning.site.SiteContext;
import dev.squint.pruning.site.SitePlan;
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
public record RandomObservations(ModelShape model, long seed, int rank) {

  /** With features of eight numbers. */
  public RandomObservations(ModelShape model, long seed) {
    this(model, seed, 8);
  }

  /** Whatever a site asks for. */
  public Observations of(SitePlan plan, SiteContext context) {
    Map<Expression, Observation> seen = new HashMap<>();
    for (Expression need : plan.needs()) {
      seen.put(need, observe(need, context));
    }
    return Observations.of(seen);
  }

  private Observation observe(Expression need, SiteContext context) {
    SplittableRandom random = new SplittableRandom(seed + need.toString().hashCode());
    if (need.pairsVisual()) {
      return similarity(random, context);
    }
    List<Axis> axes = need.axes();
    int columns = size(axes.get(axes.size() - 1), need, context);
    int rows = 1;
    for (Axis axis : axes.subList(0, axes.size() - 1)) {
      rows *= size(axis, need, context);
    }
    Leaf first = need.leaves().findFirst().orElseThrow();
    return switch (first.tensor()) {
      case PROBABILITIES -> attention(random, rows, columns);
      case MLP -> counts(random, columns);
      default -> {
        Observation drawn = gaussian(random, rows, columns);
        yield need.canonical().contains("normalise")
            ? new Observation(rows, columns, clipped(drawn.values()))
            : drawn;
      }
    };
  }

  private int size(Axis axis, Expression need, SiteContext context) {
    DecoderShape decoder = model.decoder();
    return switch (axis.kind()) {
      case HEADS -> decoder.heads();
      case KV_HEADS -> decoder.kvHeads();
      case HEAD_WIDTH -> decoder.headDim();
      case JOINED_HEADS -> decoder.heads() * decoder.headDim();
      case JOINED_KV_HEADS -> decoder.kvHeads() * decoder.headDim();
      case HIDDEN, VISION_HIDDEN -> decoder.hidden();
      case NEURONS -> decoder.intermediate();
      case QUERIES, TOKENS -> tokens(axis.rows().orElseThrow(), need, context);
    };
  }

  private static int tokens(Rows rows, Expression need, SiteContext context) {
    boolean entering = need.leaves().anyMatch(leaf -> leaf.tensor() == Leaf.Tensor.EMBEDS);
    return switch (rows) {
      case LAST, CLS, FIRST_AFTER_VISUAL -> 1;
      case TEXT_AFTER_VISUAL -> context.positions().text().length;
      case TEXT -> context.layout().length() - context.originalVisualTokens();
      case VISUAL -> entering ? context.enteredDecoder() : context.visualTokens();
      case ALL ->
          context.layout().length() - context.originalVisualTokens() + context.visualTokens();
    };
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
