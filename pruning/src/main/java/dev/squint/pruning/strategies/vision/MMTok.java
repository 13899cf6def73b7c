package dev.squint.pruning.strategies.vision;

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
import dev.squint.pruning.strategies.math.GreedyCoverage;
import dev.squint.pruning.strategies.math.TileShare;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * MMTok: keeps the visual tokens that together cover the question and the image (Dong et al.,
 * "MMTok: Multimodal Coverage Maximization for Efficient Inference of VLMs", ICLR 2026).
 *
 * <p>What is covered are the m text tokens after the last visual token and the N visual tokens of a
 * tile. A visual token covers a text token by a softmax over the visual tokens of {@code cosine /
 * tv}, between the text's embedding and the features that enter the decoder, over m; it covers a
 * visual token by a softmax over the visual tokens of {@code cosine / vv}, of features before the
 * projector, times {@code alpha} over N. A set covers each as far as the best of its members does;
 * it is grown greedily by the token that raises the sum most, the lower index first among equals.
 * What is not a number covers nothing. {@code rint(N * keep)} tokens stay, in spatial order, at
 * compacted positions. No attention is read and no text tower is needed.
 *
 * <p>Of the question the authors' code for LLaVA takes the words that are no stop words, its code
 * for Qwen all, after "Question:"; the prompt's other text is left out. Here the text is every
 * token after the last visual token, those of the chat template included, as nothing below the
 * tokenizer knows words. The code can leave out patches that are padding, which is not repeated.
 * Without text after the image, the image alone is covered. A budget for an image or the request is
 * shared among its tiles in proportion to their tokens, as each tile is covered by its own.
 *
 * @param alpha weight of the image
 * @param tv temperature of text and visual tokens, above 0
 * @param vv temperature of visual tokens among each other, above 0
 * @param budget how many visual tokens stay, by default 64 of 576, of each tile or frame
 */
public record MMTok(double alpha, double tv, double vv, Budget budget)
    implements DescribedStrategy {

  private static final Expression COSINES = Observe.embeddingSimilarity(Measure.COSINE);
  private static final double LEAST = 1e-3;
  private static final Type TYPE = new Type();

  public MMTok {
    TYPE.check(alpha, tv, vv, budget);
  }

  @Override
  public Type type() {
    return TYPE;
  }

  @Override
  public List<SitePlan> plan(ModelShape model) {
    Expression image =
        Observe.featureSimilarity(Stage.BEFORE_PROJECTOR)
            .over(vv)
            .softmax()
            .transpose()
            .named(
                "coverage of visual tokens by features before the projector (temperature %s)", vv);
    return List.of(
        new SitePlan(
            new Site.AfterVision(),
            Set.of(COSINES, image),
            PositionPolicy.COMPACTED,
            (context, observations) -> cover(observations.get(image), context, observations)));
  }

  private Selection cover(Observation image, SiteContext context, Observations observations) {
    Observation cosines = observations.get(COSINES);
    int[] kept =
        TileShare.of(budget, context).parallelStream()
            .flatMapToInt(
                share ->
                    Arrays.stream(cover(cosines, image, share)).map(i -> share.tile().from() + i))
            .toArray();
    Selection selection = budget.noted(Selection.of(kept), budget.scope().groups(context));
    return cosines.rows() > 0
        ? selection
        : selection.withNote("no text follows the image, so the image alone is covered");
  }

  private int[] cover(Observation cosines, Observation image, TileShare share) {
    int from = share.tile().from();
    int tokens = share.tile().size();
    int texts = cosines.rows();
    double weight = alpha > 0 ? tokens / (alpha * texts) : 1; // that of the image is 1
    float[][] question =
        IntStream.range(0, texts)
            .mapToObj(text -> covered(cosines.row(text), from, tokens, weight))
            .toArray(float[][]::new);
    GreedyCoverage coverage =
        new GreedyCoverage(
            tokens + texts,
            (candidate, extent) -> {
              if (alpha > 0) {
                image.copyRow(from + candidate, 0, tokens, extent);
              }
              for (int text = 0; text < texts; text++) {
                extent[tokens + text] = question[text][candidate];
              }
            });
    double[] alike = new double[tokens];
    Arrays.fill(alike, 1);
    return coverage.pick(alike, share.count());
  }

  /** How far each visual token of a tile covers a text token, times a weight. */
  private float[] covered(float[] cosines, int from, int tokens, double weight) {
    double most =
        IntStream.range(from, from + tokens)
            .mapToDouble(i -> cosines[i])
            .filter(Double::isFinite)
            .max()
            .orElse(0);
    double[] shares =
        IntStream.range(from, from + tokens)
            .mapToDouble(i -> StrictMath.exp((cosines[i] - most) / tv))
            .map(share -> Double.isFinite(share) ? share : 0)
            .toArray();
    double sum = Arrays.stream(shares).sum();
    float[] covered = new float[tokens];
    for (int i = 0; i < tokens; i++) {
      covered[i] = (float) (shares[i] / sum * weight);
    }
    return covered;
  }

  /** The descriptor of {@link MMTok}, for the service loader. */
  public static final class Type extends StrategyType<MMTok> {

    public Type() {
      super(
          MMTok.class,
          "mmtok",
          "keeps the visual tokens that together cover the question and the image",
          "Dong et al., MMTok: Multimodal Coverage Maximization, ICLR 2026",
          Parameter.number("alpha", 0.5, 0, Double.POSITIVE_INFINITY, "weight of the image"),
          Parameter.number(
              "tv", 0.02, LEAST, Double.POSITIVE_INFINITY, "temperature of text and image"),
          Parameter.number(
              "vv", 0.2, LEAST, Double.POSITIVE_INFINITY, "temperature within the image"),
          Budget.Parameters.of(0.1111, Scope.TILE));
    }
  }
}
