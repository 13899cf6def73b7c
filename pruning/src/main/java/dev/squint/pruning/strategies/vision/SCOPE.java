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
import dev.squint.pruning.strategies.math.ParallelRows;
import dev.squint.pruning.strategies.math.TileShare;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
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
                  Coverage coverage =
                      new Coverage(
                          tokens, (i, into) -> similarity.copyRow(from + i, 0, tokens, into));
                  return Arrays.stream(coverage.pick(weights, share.count())).map(i -> from + i);
                })
            .toArray();
    return budget.noted(new Selection(kept, saliency), budget.scope().groups(context));
  }

  /**
   * Greedy maximum coverage: candidates cover targets, each to some extent; a set covers a target
   * as far as the best of its members does, at least 0.
   *
   * <p>What a candidate adds never grows while others are picked, so what it added when last looked
   * at bounds it from above: only the candidate with the highest bound is looked at again, and
   * picked if it keeps its place. The picks are those of looking at all each time.
   *
   * @param targets how many targets there are
   * @param extents to what extent a candidate covers each target
   */
  record Coverage(int targets, Extents extents) {

    /** Copies the extents of a candidate; called by several threads. */
    interface Extents {
      void copy(int candidate, float[] into);
    }

    /**
     * Picks candidates.
     *
     * @param weights by what the gain of each candidate is multiplied
     * @param count how many are picked, at most all
     * @return their indices, ascending
     */
    int[] pick(double[] weights, int count) {
      int candidates = weights.length;
      if (count >= candidates) {
        return IntStream.range(0, candidates).toArray();
      }
      float[] covered = new float[targets];
      double[] bounds = new double[candidates];
      ParallelRows.each(
          0,
          candidates,
          (from, to) -> {
            float[] extent = new float[targets];
            float[] twice = new float[targets];
            for (int i = from; i < to; i++) {
              extents.copy(i, extent);
              bounds[i] = weighted(weights[i], gain(extent, covered, twice));
            }
          });
      PriorityQueue<Integer> best =
          new PriorityQueue<>(
              Comparator.<Integer>comparingDouble(i -> -bounds[i]).thenComparingInt(i -> i));
      IntStream.range(0, candidates).forEach(best::add);
      int[] lookedAt = new int[candidates];
      int[] picks = new int[count];
      float[] extent = new float[targets];
      float[] twice = new float[targets];
      for (int size = 0; size < count; ) {
        int candidate = best.remove();
        extents.copy(candidate, extent);
        if (lookedAt[candidate] == size) {
          picks[size++] = candidate;
          raise(covered, extent);
        } else {
          bounds[candidate] = weighted(weights[candidate], gain(extent, covered, twice));
          lookedAt[candidate] = size;
          best.add(candidate);
        }
      }
      Arrays.sort(picks);
      return picks;
    }

    private static double weighted(double weight, double gain) {
      double value = weight * gain;
      return Double.isNaN(value) ? Double.NEGATIVE_INFINITY : value;
    }

    /** Two loops of which the first is vectorised; d + |d| is twice the excess, exactly. */
    private static double gain(float[] extent, float[] covered, float[] twice) {
      for (int i = 0; i < twice.length; i++) {
        float more = extent[i] - covered[i];
        twice[i] = more + Math.abs(more);
      }
      double even = 0;
      double odd = 0;
      int last = twice.length - 1;
      for (int i = 0; i < last; i += 2) {
        even += twice[i];
        odd += twice[i + 1];
      }
      double sum = even + odd + (twice.length % 2 == 0 ? 0 : twice[last]);
      return Double.isNaN(sum) ? gainOfNumbers(extent, covered) : sum / 2;
    }

    /** Where some are no numbers: those cover nothing. */
    private static double gainOfNumbers(float[] extent, float[] covered) {
      double sum = 0;
      for (int i = 0; i < extent.length; i++) {
        sum += extent[i] > covered[i] ? extent[i] - covered[i] : 0;
      }
      return sum;
    }

    private static void raise(float[] covered, float[] extent) {
      for (int i = 0; i < covered.length; i++) {
        if (extent[i] > covered[i]) {
          covered[i] = extent[i];
        }
      }
    }
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
