package dev.squint.pruning.strategies.vision;

import dev.squint.error.StrategyException;
import dev.squint.pruning.DescribedStrategy;
import dev.squint.pruning.StrategyType;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.observe.Stage;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.shape.VisionShape;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Scope;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.spec.Budget;
import dev.squint.pruning.spec.Parameter;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/**
 * VScan: a global and a local scan of the image after the vision tower, and a look by the question
 * in the middle of the decoder (Zhang et al., "VScan: Rethinking Visual Token Reduction for
 * Efficient Large Vision-Language Models", TMLR 2026).
 *
 * <p><b>Stage 1</b> keeps T tokens of each tile or frame. Local scan: {@code floor(T / 2)} of them
 * are those with the highest attention of [CLS] in an early vision layer, within 16 windows, 4 x 4
 * over the patch grid; row r of R lies in window row {@code floor(4 r / R)}, columns likewise, so
 * any grid will do. Global scan: the others are those with the highest attention of [CLS] in the
 * last layer that runs. Each token that is not kept joins the kept one whose feature is most
 * similar by cosine, and a kept token becomes the mean of itself and all that join it. A tile
 * without a whole grid (features of newline tokens among the patches, tokens that have left before)
 * is scanned globally alone, and the trace says so. In towers without a [CLS] token attention
 * received stands in.
 *
 * <p><b>Stage 2</b>, before decoder layer k = 16 of 32, ranks the visual tokens of the whole
 * request by the attention that the last prompt token pays to them in layer k itself, averaged over
 * heads, which a lookahead computes.
 *
 * <p>Where paper and code disagree: the paper shares the local half evenly among the windows; here
 * each has {@code floor} of its share, and what is left over goes to the windows whose next token
 * has the highest attention, one each. The code ({@code rule=code}) takes {@code floor(floor(T / 2)
 * / 16)} of each window and loses the rest: T = 188 keeps 174, and below 32 nothing local is left.
 * The paper's figure merges before the projector, the code after it ({@code merge=after}), as is
 * done anyway where the projector joins patches itself. For Qwen2.5-VL the local scan looks at the
 * first layer that sees the whole image, 7, as the code does. The code cuts positions to the number
 * of tokens for LLaVA, as here, and keeps the original ones for Qwen2.5-VL.
 *
 * @param stage {@code both}, {@code 1} or {@code 2}
 * @param keep retention ratio at each site, of the tokens that reach it; one holds for all; empty
 *     for a sixth at stage 1 and a third at stage 2 (96 of 576, then 32)
 * @param tokens number of tokens at each site, per tile at stage 1; one holds for all; wins over
 *     the ratios unless empty
 * @param merge {@code before} or {@code after} the projector, or {@code off}
 * @param rule {@code paper} or {@code code}: how the windows share the local half
 * @param layers decoder layers of stage 2, the first that run pruned; empty for 16 of 32, scaled
 * @param local vision layer of the local scan; empty for layer 5 of 23, scaled, or the first one
 *     after it that sees the whole image
 */
public record VScan(
    String stage,
    List<Double> keep,
    List<Integer> tokens,
    String merge,
    String rule,
    List<Integer> layers,
    OptionalInt local)
    implements DescribedStrategy {

  private static final double FIRST = 1 / 6.0;
  private static final double LATER = 1 / 3.0;
  private static final Parameter<List<Double>> KEEP =
      Parameter.numbers("keep", 0, 1, "share kept at each site; unset 1/6, then 1/3");
  private static final Parameter<List<Integer>> TOKENS =
      Parameter.counts("tokens", "number kept at each site, first per tile; wins over keep");
  private static final Type TYPE = new Type();

  public VScan {
    TYPE.check(stage, keep, tokens, merge, rule, layers, local);
    keep = List.copyOf(keep);
    tokens = List.copyOf(tokens);
    layers = List.copyOf(layers);
    if (stage.equals("1") && !layers.isEmpty()) {
      throw new StrategyException(
          "strategy '%s': layers=%s are those of stage 2, but stage=1; leave one of them out"
              .formatted(TYPE.name(), Parameter.joined(layers)));
    }
    int sites = (stage.equals("2") ? 0 : 1) + (stage.equals("1") ? 0 : Math.max(1, layers.size()));
    requireOnePerSite(KEEP, keep, sites);
    requireOnePerSite(TOKENS, tokens, sites);
    for (int i = 0; i < sites; i++) {
      budget(keep, tokens, i, FIRST, Scope.TILE);
    }
  }

  /** Both stages as in the paper. */
  public VScan() {
    this("both", List.of(), List.of(), "before", "paper", List.of(), OptionalInt.empty());
  }

  private static void requireOnePerSite(Parameter<?> parameter, List<?> values, int sites) {
    if (values.size() > 1 && values.size() != sites) {
      throw new StrategyException(
          "strategy '%s': %s=%s are %d numbers for %d sites; give one for each or one for all"
              .formatted(
                  TYPE.name(), parameter.name(), Parameter.joined(values), values.size(), sites));
    }
  }

  private static Budget budget(
      List<Double> keep, List<Integer> tokens, int site, double usual, Scope scope) {
    return new Budget(
        keep.isEmpty() ? usual : keep.get(Math.min(site, keep.size() - 1)),
        tokens.isEmpty()
            ? OptionalInt.empty()
            : OptionalInt.of(tokens.get(Math.min(site, tokens.size() - 1))),
        scope);
  }

  @Override
  public Type type() {
    return TYPE;
  }

  @Override
  public List<SitePlan> plan(ModelShape model) {
    List<SitePlan> sites = new ArrayList<>();
    if (!stage.equals("2")) {
      sites.add(scan(model.vision(), budget(keep, tokens, 0, FIRST, Scope.TILE)));
    }
    if (!stage.equals("1")) {
      for (int k : model.decoder().requireSplits(name(), layers, 16)) {
        sites.add(look(k, budget(keep, tokens, sites.size(), LATER, Scope.REQUEST)));
      }
    }
    return List.copyOf(sites);
  }

  private static SitePlan look(int k, Budget budget) {
    Expression attention = Observe.textToVisualAttention(k, Rows.LAST);
    return new SitePlan(
        new Site.BeforeLayer(k),
        Set.of(attention),
        PositionPolicy.COMPACTED,
        (context, seen) -> budget.top(context, seen.get(attention).row(0)));
  }

  private SitePlan scan(VisionShape vision, Budget budget) {
    int early =
        local.orElseGet(() -> vision.wholeLayerFrom((int) Math.rint(5 * vision.layers() / 23.0)));
    if (early >= vision.layers()) {
      throw new StrategyException(
          "strategy '%s': local=%d, but the vision tower runs %d layers; choose 1..%d"
              .formatted(TYPE.name(), early, vision.layers(), vision.layers() - 1));
    }
    boolean merges = !merge.equals("off");
    VScanFirstStage scan =
        new VScanFirstStage(
            budget,
            VisionAttention.in(vision, early),
            VisionAttention.inLast(vision),
            Observe.featureSimilarity(
                merge.equals("after") ? Stage.PROJECTED : vision.mergingStage()),
            merges,
            rule.equals("code"));
    return merge.equals("before")
        ? MergingSite.plan(vision, scan.needs(), scan::select)
        : new SitePlan(
            new Site.AfterVision(), scan.needs(), PositionPolicy.COMPACTED, merges, scan::select);
  }

  /** The descriptor of {@link VScan}, for the service loader. */
  public static final class Type extends StrategyType<VScan> {

    public Type() {
      super(
          VScan.class,
          "vscan",
          "scans the image globally and locally after vision, then ranks in the mid decoder",
          "Zhang et al., VScan: Rethinking Visual Token Reduction, TMLR 2026",
          Parameter.choice("stage", List.of("both", "1", "2"), "which of the two stages run"),
          KEEP,
          TOKENS,
          Parameter.choice(
              "merge",
              List.of("before", "after", "off"),
              "where stage 1 merges: before the projector"),
          Parameter.choice("rule", List.of("paper", "code"), "how windows share the local half"),
          Parameter.layers("layers", "first pruned layers of stage 2; unset 16 of 32"),
          Parameter.count("local", "vision layer of the local scan; unset 5 of 23"));
    }
  }
}
