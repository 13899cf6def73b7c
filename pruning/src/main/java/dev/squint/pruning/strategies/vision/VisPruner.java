package dev.squint.pruning.strategies.vision;

import dev.squint.pruning.DescribedStrategy;
import dev.squint.pruning.StrategyType;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Stage;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Ranking;
import dev.squint.pruning.site.Scope;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SiteContext;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.spec.Budget;
import dev.squint.pruning.spec.Parameter;
import dev.squint.pruning.strategies.math.Neighbours;
import dev.squint.pruning.strategies.math.TileShare;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * VisPruner: keeps visual tokens that [CLS] attends to most, and of the others those that are not
 * alike (Zhang et al., "Beyond Text-Visual Attention: Exploiting Visual Cues for Effective Token
 * Pruning in VLMs", ICCV 2025).
 *
 * <p>Of the T tokens that stay of a tile, {@code floor(T * important)} are those with the highest
 * attention of [CLS] in the last vision layer that runs (in towers without a [CLS] token the
 * highest attention received there). The others, by descending attention, lose their duplicates in
 * rounds: every second one, from the first on, is compared with those between by the cosine of the
 * features before the projector; the (at most) eight with the most similar counterpart leave, and
 * the next round begins with the rest of those compared, by descending similarity, and then those
 * between. What remains when T is reached stays too; all in spatial order, at compacted positions.
 *
 * <p>The paper gives no order of comparison; this is the authors' code. That fails on an odd number
 * of others; here the first half takes the extra one, and counts as least alike if there is nothing
 * to compare it with. A budget for an image or the request is shared among its tiles in proportion
 * to their tokens.
 *
 * @param important share of the kept tokens that attention chooses, 0 to 1
 * @param budget how many visual tokens stay, by default of each tile or frame
 */
public record VisPruner(double important, Budget budget) implements DescribedStrategy {

  private static final int LEAVE_AT_ONCE = 8;
  private static final Parameter<Double> IMPORTANT =
      Parameter.number("important", 0.5, 0, 1, "share of the kept that attention chooses");
  private static final Budget.Parameters BUDGET = Budget.Parameters.of(0.5, Scope.TILE);
  private static final Expression FEATURES = Observe.featureSimilarity(Stage.BEFORE_PROJECTOR);
  private static final Type TYPE = new Type();

  public VisPruner {
    TYPE.check(important, budget);
  }

  /**
   * Half by attention and half by diversity, with a budget by ratio.
   *
   * @param keep retention ratio, above 0 and at most 1
   */
  public VisPruner(double keep) {
    this(IMPORTANT.byDefault(), BUDGET.keeping(TYPE.name(), keep));
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
            Set.of(attention, FEATURES),
            PositionPolicy.COMPACTED,
            (context, seen) -> prune(context, seen.get(attention).row(0), seen.get(FEATURES))));
  }

  private Selection prune(SiteContext context, float[] attention, Observation features) {
    int[] kept = new int[attention.length];
    int size = 0;
    for (TileShare share : TileShare.of(budget, context)) {
      Scope.Group tile = share.tile();
      boolean[] stays = new boolean[tile.size()];
      int[] order = Ranking.descending(Arrays.copyOfRange(attention, tile.from(), tile.to()));
      int first = share.count() < order.length ? (int) (share.count() * important) : order.length;
      if (first < share.count() && first < order.length) {
        int[] others = Arrays.copyOfRange(order, first, order.length);
        mark(others, stays);
        thin(others, share.count() - first, stays, new Neighbours(features, tile, stays));
      }
      mark(Arrays.copyOf(order, first), stays);
      for (int token = 0; token < stays.length; token++) {
        if (stays[token]) {
          kept[size++] = tile.from() + token;
        }
      }
    }
    return budget.noted(
        new Selection(Arrays.copyOf(kept, size), attention), budget.scope().groups(context));
  }

  private static void mark(int[] tokens, boolean[] marks) {
    for (int token : tokens) {
      marks[token] = true;
    }
  }

  /** Takes tokens away until so many of them stay. */
  private static void thin(int[] residual, int wanted, boolean[] stays, Neighbours neighbours) {
    boolean[] between = new boolean[stays.length];
    int[] next = new int[residual.length];
    long[] compared = new long[(residual.length + 1) / 2];
    for (int size = residual.length; size > wanted; ) {
      int half = (size + 1) / 2;
      for (int i = 1; i < size; i += 2) {
        between[residual[i]] = true;
      }
      for (int i = 0; i < half; i++) {
        compared[i] = Ranking.key(neighbours.highest(residual[2 * i], between), i);
      }
      Arrays.sort(compared, 0, half);
      int leave = Math.min(Math.min(LEAVE_AT_ONCE, size - wanted), half);
      for (int i = 0; i < leave; i++) {
        stays[residual[2 * (int) compared[i]]] = false;
      }
      int left = 0;
      for (int i = leave; i < half; i++) {
        next[left++] = residual[2 * (int) compared[i]];
      }
      for (int i = 1; i < size; i += 2) {
        next[left++] = residual[i];
        between[residual[i]] = false;
      }
      int[] swap = residual;
      residual = next;
      next = swap;
      size = left;
    }
  }

  /** The descriptor of {@link VisPruner}, for the service loader. */
  public static final class Type extends StrategyType<VisPruner> {

    public Type() {
      super(
          VisPruner.class,
          "vispruner",
          "keeps visual tokens that [CLS] attends to most, and of the others those not alike",
          "Zhang et al., Beyond Text-Visual Attention, ICCV 2025",
          IMPORTANT,
          BUDGET);
    }
  }
}
