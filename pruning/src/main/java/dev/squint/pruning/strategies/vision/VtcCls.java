package dev.squint.pruning.strategies.vision;

import dev.squint.error.StrategyException;
import dev.squint.pruning.DescribedStrategy;
import dev.squint.pruning.StrategyType;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observations;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.shape.VisionShape;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Scope;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SiteContext;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.spec.Budget;
import dev.squint.pruning.spec.Parameter;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * VTC-CLS: drops the visual tokens that [CLS] attends to least over several layers of the vision
 * tower (Wang et al., "[CLS] Token Tells Everything Needed for Training-free Efficient MLLMs",
 * 2024).
 *
 * <p>A visual token's score is the attention that [CLS] pays to it, averaged over heads and over
 * the last layers that run: layers L-3 to L-1 of L, as in the paper. {@code rule=code} takes the
 * seven layers of the authors' command line instead (16 to 22 of CLIP's 23 that run), or all where
 * fewer run. The code adds the layers up, which ranks the same. {@code rint(N * keep)} tokens stay
 * of each image, tile or frame, in spatial order.
 *
 * <p>Towers without a [CLS] token are scored by the attention that each token receives. Layers that
 * attend within windows of the image (Qwen2.5-VL) are left out, and where the last ones all do, the
 * last layer that sees the whole image is looked at; the trace says which.
 *
 * @param layers how many layers are averaged, the last ones that run; wins over the rule
 * @param rule {@code paper} for three layers, {@code code} for seven
 * @param budget how many visual tokens stay, by default of each tile or frame
 */
public record VtcCls(OptionalInt layers, String rule, Budget budget) implements DescribedStrategy {

  private static final Budget.Parameters BUDGET = Budget.Parameters.of(0.5, Scope.TILE);
  private static final Type TYPE = new Type();

  public VtcCls {
    TYPE.check(layers, rule, budget);
  }

  /**
   * The paper's rule with a budget by ratio.
   *
   * @param keep retention ratio, above 0 and at most 1
   */
  public VtcCls(double keep) {
    this(OptionalInt.empty(), "paper", BUDGET.keeping(TYPE.name(), keep));
  }

  @Override
  public Type type() {
    return TYPE;
  }

  @Override
  public List<SitePlan> plan(ModelShape model) {
    int running = model.vision().layers();
    if (layers.isPresent() && layers.getAsInt() > running) {
      throw new StrategyException(
          "strategy '%s': layers=%d, but the vision tower runs %d; choose 1..%d"
              .formatted(TYPE.name(), layers.getAsInt(), running, running));
    }
    int wanted = layers.orElse(rule.equals("code") ? 7 : 3);
    VisionShape vision = model.vision();
    List<Integer> last = IntStream.range(Math.max(0, running - wanted), running).boxed().toList();
    List<Integer> whole = last.stream().filter(vision::seesWholeImage).toList();
    List<Integer> looked = whole.isEmpty() ? List.of(vision.lastWholeLayer()) : whole;
    List<Expression> ensemble =
        looked.stream().map(layer -> VisionAttention.in(vision, layer)).toList();
    return List.of(
        new SitePlan(
            new Site.AfterVision(),
            Set.copyOf(ensemble),
            PositionPolicy.COMPACTED,
            (context, observations) -> {
              Selection selection = budget.top(context, mean(context, observations, ensemble));
              if (!looked.equals(last)) {
                selection =
                    selection.withNote(
                        "of the last %d vision layers some attend within windows, so scores are of layers %s alone"
                            .formatted(last.size(), looked));
              }
              return wanted > running
                  ? selection.withNote(
                      "rule=%s averages %d vision layers, but %d run, so all of those are averaged"
                          .formatted(rule, wanted, running))
                  : selection;
            }));
  }

  private static float[] mean(
      SiteContext context, Observations observations, List<Expression> ensemble) {
    float[] mean = new float[context.visualTokens()];
    for (Expression request : ensemble) {
      Observation layer = observations.get(request);
      for (int i = 0; i < mean.length; i++) {
        mean[i] += layer.at(0, i) / ensemble.size();
      }
    }
    return mean;
  }

  /** The descriptor of {@link VtcCls}, for the service loader. */
  public static final class Type extends StrategyType<VtcCls> {

    public Type() {
      super(
          VtcCls.class,
          "vtc-cls",
          "keeps the visual tokens that [CLS] attends to most over the last vision layers",
          "Wang et al., [CLS] Token Tells Everything Needed for Training-free Efficient MLLMs, 2024",
          Parameter.count(
              "layers", "how many vision layers are averaged, the last that run; wins over rule"),
          Parameter.choice("rule", List.of("paper", "code"), "three layers, or the code's seven"),
          BUDGET);
    }
  }
}
