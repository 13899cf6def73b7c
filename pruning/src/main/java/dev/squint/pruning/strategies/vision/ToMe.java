package dev.squint.pruning.strategies.vision;

import dev.squint.pruning.DescribedStrategy;
import dev.squint.pruning.StrategyType;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Heads;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.MergedToken;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Scope;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SiteContext;
import dev.squint.pruning.site.SiteDecision;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.spec.Budget;
import dev.squint.pruning.spec.Parameter;
import dev.squint.pruning.strategies.math.BipartiteMerging;
import dev.squint.pruning.strategies.math.TileShare;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * ToMe-style: merges visual tokens with the most similar keys, pair by pair, until the budget is
 * met (after Bolya et al., "Token Merging: Your ViT But Faster", ICLR 2023).
 *
 * <p>A round parts the tokens of a tile into every second one, from the first on, and those
 * between; draws an edge from each of the former to the one of the latter with the most similar
 * key; and merges the ends of the most similar edges: the latter becomes the mean of itself and all
 * that join it, each weighted by the number of tokens it is made of. The next round goes over the
 * former that are left and then the latter. The tokens that have to go are shared evenly among the
 * rounds; where half of the tokens is less than a round's share, more rounds follow.
 *
 * <p>The original merges inside every encoder layer, between attention and feed-forward, on that
 * layer's keys, and adds the logarithm of sizes to attention; so it makes the encoder faster too,
 * and its rounds are its layers. This merges after the last layer that runs, on that layer's keys
 * (the mean over heads, as in the paper; here cosines of the unmerged tokens' keys). A merged
 * token's key is the mean of its members' keys at unit length, weighted as its feature is, and
 * cosines between such means are exact. [CLS], which the original protects and counts when it parts
 * the tokens, is not among them here. A merged token stands at the place of the one that was
 * joined, so spatial order is kept, where the original's order is that of the last round. With
 * {@code sizes=off} each end counts once, however many tokens it is made of, as in ports without
 * sizes.
 *
 * <p>A budget for an image or the request is shared among its tiles in proportion to their tokens.
 *
 * @param rounds how many rounds the merging is spread over, at least 1
 * @param sizes {@code on} for means weighted by size, {@code off} for plain ones
 * @param merge {@code after} to merge what enters the decoder, {@code before} to merge what enters
 *     the projector
 * @param budget how many tokens go on, by default of each tile or frame
 */
public record ToMe(int rounds, String sizes, String merge, Budget budget)
    implements DescribedStrategy {

  private static final Parameter<Integer> ROUNDS =
      Parameter.whole("rounds", 4, 1, 1000, "rounds the merging is spread over");
  private static final Budget.Parameters BUDGET = Budget.Parameters.of(0.5, Scope.TILE);
  private static final Type TYPE = new Type();

  public ToMe {
    TYPE.check(rounds, sizes, merge, budget);
  }

  /**
   * With sizes, after the projector, and a budget by ratio.
   *
   * @param keep retention ratio, above 0 and at most 1
   */
  public ToMe(double keep) {
    this(ROUNDS.byDefault(), "on", "after", BUDGET.keeping(TYPE.name(), keep));
  }

  @Override
  public Type type() {
    return TYPE;
  }

  @Override
  public List<SitePlan> plan(ModelShape model) {
    Expression keys = Observe.keySimilarity(model.vision().lastWholeLayer(), Heads.AVERAGED);
    Set<Expression> needs = Set.of(keys);
    SiteDecision decision = (context, seen) -> merge(context, seen.get(keys));
    return List.of(
        merge.equals("before")
            ? MergingSite.plan(model.vision(), needs, decision)
            : new SitePlan(
                new Site.AfterVision(), needs, PositionPolicy.COMPACTED, true, decision));
  }

  private Selection merge(SiteContext context, Observation keys) {
    int[] kept = new int[context.visualTokens()];
    int size = 0;
    List<MergedToken> merged = new ArrayList<>();
    for (TileShare share : TileShare.of(budget, context)) {
      if (share.count() > 0) {
        BipartiteMerging merging = new BipartiteMerging(keys, share.tile(), sizes.equals("on"));
        reduce(merging, share.count());
        merging.addTo(merged);
        for (int origin : merging.origins()) {
          kept[size++] = origin;
        }
      }
    }
    return budget.noted(
        Selection.of(Arrays.copyOf(kept, size)).withMerged(merged), budget.scope().groups(context));
  }

  private void reduce(BipartiteMerging merging, int wanted) {
    for (int left = rounds; merging.tokens() > wanted; left = Math.max(1, left - 1)) {
      int share = (merging.tokens() - wanted + left - 1) / left;
      merging.round(Math.min(share, merging.tokens() / 2));
    }
  }

  /** The descriptor of {@link ToMe}, for the service loader. */
  public static final class Type extends StrategyType<ToMe> {

    public Type() {
      super(
          ToMe.class,
          "tome",
          "merges visual tokens with the most similar keys, pair by pair",
          "after Bolya et al., Token Merging: Your ViT But Faster, ICLR 2023",
          ROUNDS,
          Parameter.choice("sizes", List.of("on", "off"), "whether means are weighted by size"),
          Parameter.choice(
              "merge", List.of("after", "before"), "whether features merge after the projector"),
          BUDGET);
    }
  }
}
