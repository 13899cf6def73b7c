package dev.squint.pruning.strategies.vision;

import dev.squint.pruning.DescribedStrategy;
import dev.squint.pruning.StrategyType;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Heads;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.MergedToken;
import dev.squint.pruning.site.Scope;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.SiteContext;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.spec.Budget;
import dev.squint.pruning.spec.Parameter;
import dev.squint.pruning.strategies.math.NearestAssignment;
import dev.squint.pruning.strategies.math.TileShare;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/**
 * VisionZip: keeps the visual tokens that [CLS] attends to most and folds the others into a few
 * (Yang et al., "VisionZip: Longer is Better but Not Necessary in Vision Language Models", CVPR
 * 2025).
 *
 * <p><b>Dominant:</b> the D tokens with the highest attention of [CLS] in the last vision layer
 * that runs; in towers without a [CLS] token with the highest attention received there.
 * <b>Contextual:</b> of the n others, in spatial order, C are targets, those at 0, s, 2s and so on
 * with {@code s = max(1, n / C)} rounded down; every other one joins the target whose key is most
 * similar (cosine of that layer's keys, averaged over heads), and each target becomes the mean of
 * itself and those that join it, before the projector; behind it where the projector joins patches
 * itself (Qwen-VL), where a token's attention and key are the means over its patches. The dominant
 * tokens go on in spatial order, after them the contextual ones.
 *
 * <p>Paper and code disagree on the mean. {@code merge=code} adds the mean of those that join to
 * the whole target, as the authors' code does, which about doubles its norm. The code's D counts
 * [CLS] among the dominant tokens; exported models do not hand [CLS] to the projector, so here D
 * counts patches alone.
 *
 * <p>The budget of a tile is split 54 to 10, as in all of the published settings (162 + 30, 108 +
 * 20, 54 + 10 of 576): {@code C = rint(T * 10 / 64)}. A count for one of the two sets the other at
 * the same ratio. A budget for an image or the request is shared among its tiles in proportion to
 * their tokens. At D + C of at least N all tokens stay as they are.
 *
 * @param dominant number of dominant tokens per tile or frame; wins over the budget
 * @param contextual number of contextual tokens per tile or frame; wins over the budget
 * @param merge {@code paper} for the mean, {@code code} for target plus mean
 * @param budget how many tokens go on, dominant and contextual, by default 64 of 576 of each tile
 *     or frame
 */
public record VisionZip(OptionalInt dominant, OptionalInt contextual, String merge, Budget budget)
    implements DescribedStrategy {

  private static final Budget.Parameters BUDGET = Budget.Parameters.of(64 / 576.0, Scope.TILE);
  private static final Type TYPE = new Type();

  public VisionZip {
    TYPE.check(dominant, contextual, merge, budget);
  }

  /**
   * The paper's rule with counts.
   *
   * @param dominant number of dominant tokens per tile or frame
   * @param contextual number of contextual tokens per tile or frame
   */
  public VisionZip(int dominant, int contextual) {
    this(
        OptionalInt.of(dominant),
        OptionalInt.of(contextual),
        "paper",
        BUDGET.keeping(TYPE.name(), BUDGET.keep().byDefault()));
  }

  @Override
  public Type type() {
    return TYPE;
  }

  @Override
  public List<SitePlan> plan(ModelShape model) {
    Expression attention = VisionAttention.inLast(model.vision());
    Expression keys = Observe.keySimilarity(model.vision().lastWholeLayer(), Heads.AVERAGED);
    return List.of(
        MergingSite.plan(
            model.vision(),
            Set.of(attention, keys),
            (context, seen) -> zip(context, seen.get(attention).row(0), seen.get(keys))));
  }

  private Selection zip(SiteContext context, float[] attention, Observation keys) {
    int[] kept = new int[attention.length];
    int size = 0;
    List<MergedToken> merged = new ArrayList<>();
    boolean scarce = false;
    for (TileShare share : TileShare.of(budget, context)) {
      Scope.Group tile = share.tile();
      int few = contextual(share.count());
      int many = dominant(share.count(), few);
      boolean all = few >= tile.size() - many;
      scarce |= (dominant.isPresent() || contextual.isPresent()) && few > tile.size() - many;
      float[] scores = Arrays.copyOfRange(attention, tile.from(), tile.to());
      int[] picks = Selection.top(scores, all ? tile.size() : many).keptVisual();
      for (int pick : picks) {
        kept[size++] = tile.from() + pick;
      }
      if (!all && few > 0) {
        merge(keys, tile, NearestAssignment.others(picks, tile.size()), few, merged);
      }
    }
    Selection selection = new Selection(Arrays.copyOf(kept, size), attention).withMerged(merged);
    return scarce
        ? selection.withNote(
            "a tile has fewer tokens than dominant and contextual ones were asked for, so all of those stay")
        : budget.noted(selection, budget.scope().groups(context));
  }

  private int contextual(int tokens) {
    if (contextual.isPresent()) {
      return contextual.getAsInt();
    }
    return (int)
        Math.rint(dominant.isPresent() ? dominant.getAsInt() * 10 / 54.0 : tokens * 10 / 64.0);
  }

  private int dominant(int tokens, int contextualTokens) {
    if (dominant.isPresent()) {
      return dominant.getAsInt();
    }
    return contextual.isPresent()
        ? (int) Math.rint(contextual.getAsInt() * 54 / 10.0)
        : tokens - contextualTokens;
  }

  private void merge(
      Observation keys, Scope.Group tile, int[] rest, int count, List<MergedToken> merged) {
    int step = Math.max(1, rest.length / count);
    int[] targets = new int[count];
    int[] others = new int[rest.length - count];
    int joining = 0;
    for (int i = 0; i < rest.length; i++) {
      if (i % step == 0 && i / step < count) {
        targets[i / step] = rest[i];
      } else {
        others[joining++] = rest[i];
      }
    }
    NearestAssignment clusters = NearestAssignment.nearest(keys, tile, targets, others);
    for (int target = 0; target < count; target++) {
      int size = clusters.joiners()[target].length;
      merged.add(
          merge.equals("code")
              ? clusters.merged(target, 1, 1f / Math.max(1, size))
              : clusters.mean(target));
    }
  }

  /** The descriptor of {@link VisionZip}, for the service loader. */
  public static final class Type extends StrategyType<VisionZip> {

    public Type() {
      super(
          VisionZip.class,
          "visionzip",
          "keeps the visual tokens that [CLS] attends to most and folds the others into a few",
          "Yang et al., VisionZip: Longer is Better but Not Necessary, CVPR 2025",
          Parameter.count("dominant", "dominant tokens per tile; wins over keep and tokens"),
          Parameter.count("contextual", "contextual tokens per tile; wins over keep and tokens"),
          Parameter.choice(
              "merge", List.of("paper", "code"), "mean of target and joiners, or target plus mean"),
          BUDGET);
    }
  }
}
