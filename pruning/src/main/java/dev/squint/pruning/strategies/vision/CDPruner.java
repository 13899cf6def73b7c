package dev.squint.pruning.strategies.vision;

import dev.squint.error.StrategyException;
import dev.squint.pruning.DescribedStrategy;
import dev.squint.pruning.StrategyType;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Measure;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observations;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Stage;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Scope;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SiteContext;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.spec.Budget;
import dev.squint.pruning.spec.Parameter;
import dev.squint.pruning.strategies.math.GreedyDpp;
import dev.squint.pruning.strategies.math.TileShare;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * CDPruner: keeps the visual tokens that are most diverse given the question (Zhang et al., "Beyond
 * Attention or Similarity: Maximizing Conditional Diversity for Token Pruning in MLLMs", NeurIPS
 * 2025).
 *
 * <p>A determinantal point process: the kernel {@code r(i) * cos(i, j) * r(j)} of a set of tokens
 * has a large determinant if they are unlike each other and relevant; the set is grown greedily by
 * the token that raises the determinant most. The cosine is that of the features that enter the
 * decoder, the relevance r of a token is the cosine of its feature and the question, min-max
 * normalised to 0..1. {@code rint(N * keep)} tokens stay, in spatial order, at compacted positions.
 *
 * <p>For LLaVA the paper takes the question from CLIP's text tower, which exports of LLaVA do not
 * hold. Here, as in the paper's form for models without a text tower, the question is the mean of
 * the text embeddings at the decoder's input, of the tokens after the last visual token. Its
 * direction follows from dot products and cosines: the cosine with a mean of embeddings is, up to a
 * factor that the normalisation takes out, the sum of the single cosines weighted by the norms of
 * the text embeddings, and those are dot over cosine. Without text after the image, or if all
 * tokens are equally relevant, r is 1: plain diversity.
 *
 * <p>The rules:
 *
 * <ul>
 *   <li>{@code paper}: as above.
 *   <li>{@code weighted}: the paper's balance of relevance and diversity: {@code exp(a * r)} stands
 *       for r, with {@code a = weight / (2 * (1 - weight))}; 0 is plain diversity.
 *   <li>{@code code}: the authors' code for LLaVA takes the mean of the cosines of the question's
 *       segments, <em>negated</em> (in CLIP's space of patches and text what fits is less similar),
 *       adds 1e-6 to the numerator of the normalisation, and takes minimum and maximum over all
 *       tiles of the request. Here its segments are the text tokens.
 *   <li>{@code openvino}: OpenVINO GenAI blends, {@code (1 - weight) * cos(i, j) + weight * r(i) *
 *       cos(i, j) * r(j)}, by default half and half; it adds 1e-6 to the denominator of the
 *       normalisation and to a gain before its root; and it splits each image or frame into two
 *       runs of N/2 tokens (the second has one more if N is odd), which are normalised apart and of
 *       which each gives half of the picks (the second one more if that is odd). Its cosines carry
 *       1e-6 on the squared norm, which is not seen here, and its question is the mean of
 *       <em>all</em> text tokens of the prompt, those before the image included. Relevance is not
 *       negated.
 * </ul>
 *
 * <p>Similarities are observed within a tile or frame: a budget for an image or the request is
 * shared among its tiles in proportion to their tokens. The scores of the selection are the
 * relevances. Gains are computed in double precision, where the authors' code and OpenVINO use
 * single: the picks are the same while gains are well above its rounding, for features of width d
 * as a rule down to about half of d picks. A token that is explained by those picked, its gain down
 * to the rounding of the similarities, comes after all others, and among those the most relevant
 * first; the authors' code picks by rounding there, some tokens twice, and so keeps fewer than
 * asked for. {@code openvino} skips terms below 1e-6 in its sums, which is not repeated here.
 *
 * @param rule {@code paper}, {@code weighted}, {@code code} or {@code openvino}
 * @param weight weight of the relevance, 0 to 1; read by {@code rule=weighted}, there below 1, and
 *     {@code rule=openvino}
 * @param budget how many visual tokens stay, by default 64 of 576, of each tile or frame
 */
public record CDPruner(String rule, double weight, Budget budget) implements DescribedStrategy {

  private static final String WEIGHTED = "weighted";
  private static final String CODE = "code";
  private static final String OPENVINO = "openvino";

  private static final Expression FEATURES = Observe.featureSimilarity(Stage.PROJECTED);
  private static final Expression COSINES = Observe.embeddingSimilarity(Measure.COSINE);
  private static final Expression DOTS = Observe.embeddingSimilarity(Measure.DOT);
  private static final double EPSILON = 1e-6;
  private static final Type TYPE = new Type();

  public CDPruner {
    TYPE.check(rule, weight, budget);
    if (rule.equals(WEIGHTED) && weight == 1) {
      throw new StrategyException(
          "strategy 'cdpruner': weight=1 leaves no diversity to rule=weighted; choose a weight below 1");
    }
  }

  @Override
  public Type type() {
    return TYPE;
  }

  @Override
  public List<SitePlan> plan(ModelShape model) {
    Set<Expression> needs =
        rule.equals(CODE) ? Set.of(FEATURES, COSINES) : Set.of(FEATURES, COSINES, DOTS);
    return List.of(
        new SitePlan(new Site.AfterVision(), needs, PositionPolicy.COMPACTED, this::diversify));
  }

  private Selection diversify(SiteContext context, Observations observations) {
    Observation features = observations.get(FEATURES);
    double[] relevance = relevance(observations, context.visualTokens());
    if (rule.equals(CODE)) {
      normalise(relevance, 0, relevance.length);
    }
    int[] kept = new int[relevance.length];
    int size = 0;
    for (TileShare share : TileShare.of(budget, context)) {
      for (TileShare run : runs(share)) {
        int from = run.tile().from();
        if (!rule.equals(CODE)) {
          normalise(relevance, from, run.tile().to());
        }
        GreedyDpp kernel = kernel(Arrays.copyOfRange(relevance, from, run.tile().to()));
        int column = from - share.tile().from();
        for (int pick : kernel.pick(features, from, column, run.count())) {
          kept[size++] = from + pick;
        }
      }
    }
    int[] ascending = Arrays.copyOf(kept, size);
    Arrays.sort(ascending);
    Selection selection =
        budget.noted(new Selection(ascending, scores(relevance)), budget.scope().groups(context));
    return observations.get(COSINES).rows() > 0
        ? selection
        : selection.withNote("no text stands after the image, so no token is more relevant");
  }

  /** The runs of a tile's tokens that are chosen from apart. */
  private List<TileShare> runs(TileShare share) {
    if (!rule.equals(OPENVINO)) {
      return List.of(share);
    }
    int from = share.tile().from();
    int middle = from + share.tile().size() / 2;
    int first = share.count() / 2;
    return List.of(
        new TileShare(new Scope.Group(from, middle), first),
        new TileShare(new Scope.Group(middle, share.tile().to()), share.count() - first));
  }

  private static float[] scores(double[] relevance) {
    float[] scores = new float[relevance.length];
    for (int i = 0; i < scores.length; i++) {
      scores[i] = (float) relevance[i];
    }
    return scores;
  }

  private GreedyDpp kernel(double[] quality) {
    if (rule.equals(OPENVINO)) {
      return new GreedyDpp(quality, 1 - weight, weight, EPSILON);
    }
    if (rule.equals(WEIGHTED)) {
      double exponent = weight / (2 * (1 - weight));
      for (int i = 0; i < quality.length; i++) {
        quality[i] = StrictMath.exp(exponent * quality[i]);
      }
    }
    return new GreedyDpp(quality, 0, 1, 0);
  }

  /** How well each token fits the question, up to a positive factor. */
  private double[] relevance(Observations observations, int tokens) {
    Observation cosines = observations.get(COSINES);
    double[] weights = new double[cosines.rows()];
    Arrays.fill(weights, -1);
    if (!rule.equals(CODE)) {
      weights = norms(cosines, observations.get(DOTS));
    }
    float[] row = new float[tokens];
    double[] sums = new double[tokens];
    for (int text = 0; text < weights.length; text++) {
      cosines.copyRow(text, row);
      for (int i = 0; i < tokens; i++) {
        sums[i] += weights[text] * row[i];
      }
    }
    for (int i = 0; i < tokens; i++) {
      sums[i] /= Math.max(1, weights.length);
    }
    return sums;
  }

  /**
   * Norms of the text embeddings as multiples of the first that is not zero. Dot over cosine is the
   * product of two norms; a row's is compared with the first's at the visual token where both
   * cosines are farthest from 0.
   */
  private static double[] norms(Observation cosines, Observation dots) {
    double[] norms = new double[cosines.rows()];
    float[] first = null;
    float[] firstDots = new float[cosines.columns()];
    float[] row = new float[cosines.columns()];
    for (int text = 0; text < norms.length; text++) {
      cosines.copyRow(text, row);
      float[] reference = first == null ? row : first;
      int at = -1;
      float farthest = 0;
      for (int i = 0; i < row.length; i++) {
        float nearer = Math.min(Math.abs(row[i]), Math.abs(reference[i]));
        if (nearer > farthest) {
          at = i;
          farthest = nearer;
        }
      }
      if (at < 0) {
        continue;
      }
      if (first == null) {
        first = row.clone();
        dots.copyRow(text, firstDots);
      }
      double norm = ((double) dots.at(text, at) / row[at]) / ((double) firstDots[at] / first[at]);
      norms[text] = norm > 0 && norm < Double.POSITIVE_INFINITY ? norm : 0;
    }
    return norms;
  }

  /** Stretches relevances to 0..1, what is not a number to 0; all to 1 if they are equal. */
  private void normalise(double[] relevance, int from, int to) {
    double least = Double.POSITIVE_INFINITY;
    double most = Double.NEGATIVE_INFINITY;
    for (int i = from; i < to; i++) {
      if (Double.isFinite(relevance[i])) {
        least = Math.min(least, relevance[i]);
        most = Math.max(most, relevance[i]);
      }
    }
    double range = most - least;
    double raised = rule.equals(CODE) ? EPSILON : 0;
    double widened = rule.equals(OPENVINO) ? EPSILON : 0;
    for (int i = from; i < to; i++) {
      if (!(range > 0)) {
        relevance[i] = 1;
      } else if (Double.isFinite(relevance[i])) {
        relevance[i] = (relevance[i] - least + raised) / (range + widened);
      } else {
        relevance[i] = 0;
      }
    }
  }

  /** The descriptor of {@link CDPruner}, for the service loader. */
  public static final class Type extends StrategyType<CDPruner> {

    public Type() {
      super(
          CDPruner.class,
          "cdpruner",
          "keeps the visual tokens that are most diverse given the question",
          "Zhang et al., Beyond Attention or Similarity, NeurIPS 2025",
          Parameter.choice(
              "rule", List.of("paper", WEIGHTED, CODE, OPENVINO), "whose kernel is followed"),
          Parameter.number(
              "weight", 0.5, 0, 1, "weight of the relevance (rule=weighted and rule=openvino)"),
          Budget.Parameters.of(0.1111, Scope.TILE));
    }
  }
}
