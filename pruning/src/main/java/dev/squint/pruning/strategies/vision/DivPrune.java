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
import dev.squint.pruning.strategies.math.TileShare;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * DivPrune: keeps the visual tokens that lie farthest apart (Alvar et al., "DivPrune:
 * Diversity-based Visual Token Pruning for Large Multimodal Models", CVPR 2025).
 *
 * <p>Greedy max-min diversity on the features that enter the decoder, with the distance {@code 1 -
 * cosine}. The first pick is the token whose nearest other token is farthest away; each further
 * pick is the token farthest from the nearest of those picked. Among equals the lower index is
 * first; a distance that is not a number counts as the smallest. {@code rint(N * keep)} tokens
 * stay, in spatial order, at compacted positions. Neither attention nor the question is read, so it
 * works on any vision tower, and the same image keeps the same tokens whatever is asked.
 *
 * <p>Paper and code agree. Distances are observed within a tile or frame: a budget for an image or
 * the request is shared among its tiles in proportion to their tokens.
 *
 * @param budget how many visual tokens stay, by default 9.8 % (the published ratio) of each tile or
 *     frame
 */
public record DivPrune(Budget budget) implements DescribedStrategy {

  private static final Budget.Parameters BUDGET = Budget.Parameters.of(0.098, Scope.TILE);
  private static final Expression SIMILARITY = Observe.featureSimilarity(Stage.PROJECTED);
  private static final Type TYPE = new Type();

  public DivPrune {
    TYPE.check(budget);
  }

  /**
   * With a budget by ratio.
   *
   * @param keep retention ratio, above 0 and at most 1
   */
  public DivPrune(double keep) {
    this(BUDGET.keeping(TYPE.name(), keep));
  }

  @Override
  public Type type() {
    return TYPE;
  }

  @Override
  public List<SitePlan> plan(ModelShape model) {
    return List.of(
        new SitePlan(
            new Site.AfterVision(), Set.of(SIMILARITY), PositionPolicy.COMPACTED, this::spread));
  }

  private Selection spread(SiteContext context, Observations observations) {
    Observation similarity = observations.get(SIMILARITY);
    int[] kept = new int[context.visualTokens()];
    int size = 0;
    for (TileShare share : TileShare.of(budget, context)) {
      for (int index : farthest(similarity, share)) {
        kept[size++] = index;
      }
    }
    return budget.noted(Selection.of(Arrays.copyOf(kept, size)), budget.scope().groups(context));
  }

  /** The tile's picks, ascending, as indices into the tokens alive. */
  private static int[] farthest(Observation similarity, TileShare share) {
    int from = share.tile().from();
    int tokens = share.tile().size();
    int[] picks = new int[share.count()];
    if (picks.length == tokens) {
      Arrays.setAll(picks, i -> from + i);
      return picks;
    }
    float[] row = new float[similarity.columns()];
    float[] nearest = nearestOthers(similarity, from, tokens, row);
    boolean[] picked = new boolean[tokens];
    for (int i = 0; i < picks.length; i++) {
      int pick = least(nearest, picked);
      picked[pick] = true;
      picks[i] = from + pick;
      if (i == 0) {
        Arrays.fill(nearest, Float.NEGATIVE_INFINITY);
      }
      similarity.copyRow(picks[i], row);
      raise(nearest, row);
    }
    Arrays.sort(picks);
    return picks;
  }

  /** For each token the similarity of the other token most like it. */
  private static float[] nearestOthers(Observation similarity, int from, int tokens, float[] row) {
    float[] nearest = new float[tokens];
    Arrays.fill(nearest, Float.NEGATIVE_INFINITY);
    for (int i = 0; i < tokens; i++) {
      similarity.copyRow(from + i, row);
      row[i] = Float.NEGATIVE_INFINITY;
      raise(nearest, row);
    }
    return nearest;
  }

  private static void raise(float[] values, float[] row) {
    for (int j = 0; j < values.length; j++) {
      values[j] = Math.max(values[j], row[j]);
    }
  }

  private static int least(float[] values, boolean[] picked) {
    int index = -1;
    float least = Float.POSITIVE_INFINITY;
    for (int j = 0; j < values.length; j++) {
      if (!picked[j] && (index < 0 || values[j] < least)) {
        index = j;
        least = Float.isNaN(values[j]) ? Float.POSITIVE_INFINITY : values[j];
      }
    }
    return index;
  }

  /** The descriptor of {@link DivPrune}, for the service loader. */
  public static final class Type extends StrategyType<DivPrune> {

    public Type() {
      super(
          DivPrune.class,
          "divprune",
          "keeps the visual tokens that lie farthest apart",
          "Alvar et al., DivPrune: Diversity-based Visual Token Pruning, CVPR 2025",
          BUDGET);
    }
  }
}
