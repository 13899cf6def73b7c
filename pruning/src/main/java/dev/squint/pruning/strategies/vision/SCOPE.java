package dev.squint.pruning.strategies.vision;

import dev.squint.pruning.DescribedStrategy;
import dev.squint.pruning.StrategyType;
import dev.squint.pruning.observe.Expression;
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
 * SCOPE: keeps salient visual tokens that together cover the image (Deng et al., "SCOPE:
 * Saliency-Coverage Oriented Token Pruning for Efficient Multimodel LLMs", NeurIPS 2025).
 *
 * <p>A token covers another by the cosine of their features before the projector, and not at all
 * where that is negative; a set covers a token as far as the best of its members does. The set is
 * grown greedily by the token j with the largest {@code a_j^alpha * gain_j}: a_j is the attention
 * that [CLS] pays to j in the last vision layer that runs (in towers without [CLS] the attention
 * that j receives there), gain_j how much more of all tokens is covered with j in the set. Among
 * equals the lower index is first; a product that is not a number is the smallest, a cosine that is
 * none covers nothing. {@code rint(N * keep)} tokens stay, in spatial order, at compacted
 * positions; the question is not read.
 *
 * <p>This is the authors' code for LLaVA, alpha = 1. It sums the attention over heads, which is the
 * mean up to a factor and so chooses alike. Its other setting adds the attention instead of
 * multiplying by it, which depends on the number of tokens and is not offered. It divides a budget
 * by the number of tiles; here it is for each tile, and one for an image or the request is shared
 * among its tiles in proportion to their tokens. It drops the newline tokens of tiles, which stay
 * here.
 *
 * @param alpha exponent of the attention; 0 is coverage alone
 * @param budget how many visual tokens stay, by default 64 of 576, of each tile or frame
 */
public record SCOPE(double alpha, Budget budget) implements DescribedStrategy {

  private static final Expression SIMILARITY = Observe.featureSimilarity(Stage.BEFORE_PROJECTOR);
  private static final Type TYPE = new Type();

  public SCOPE {
    TYPE.check(alpha, budget);
  }

  @Override
  public Type type() {
    return TYPE;
  }

  @Override
  public List<SitePlan> plan(ModelShape model) {
    Expression attention = VisionAttention.inLast(model.vision());
    return List.of(
        new SitePlan(
            new Site.AfterVision(),
            Set.of(attention, SIMILARITY),
            PositionPolicy.COMPACTED,
            (context, observations) -> cover(attention, context, observations)));
  }

  private Selection cover(Expression attention, SiteContext context, Observations observations) {
    float[] saliency = observations.get(attention).row(0);
    Observation similarity = observations.get(SIMILARITY);
    int[] kept =
        TileShare.of(budget, context).parallelStream()
            .flatMapToInt(
                share -> {
                  int from = share.tile().from();
                  double[] weights =
                      IntStream.range(from, share.tile().to())
                          .mapToDouble(i -> StrictMath.pow(saliency[i], alpha))
                          .toArray();
                  int tokens = weights.length;
                  GreedyCoverage coverage =
                      new GreedyCoverage(
                          tokens, (i, into) -> similarity.copyRow(from + i, 0, tokens, into));
                  return Arrays.stream(coverage.pick(weights, share.count())).map(i -> from + i);
                })
            .toArray();
    return budget.noted(new Selection(kept, saliency), budget.scope().groups(context));
  }

  /** The descriptor of {@link SCOPE}, for the service loader. */
  public static final class Type extends StrategyType<SCOPE> {

    public Type() {
      super(
          SCOPE.class,
          "scope",
          "keeps salient visual tokens that together cover the image",
          "Deng et al., SCOPE: Saliency-Coverage Oriented Token Pruning, NeurIPS 2025",
          Parameter.number("alpha", 1, 0, Double.POSITIVE_INFINITY, "exponent of the saliency"),
          Budget.Parameters.of(0.1111, Scope.TILE));
    }
  }
}
