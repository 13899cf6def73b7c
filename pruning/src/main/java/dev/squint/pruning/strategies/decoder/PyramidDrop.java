package dev.squint.pruning.strategies.decoder;

import dev.squint.pruning.DescribedStrategy;
import dev.squint.pruning.StrategyType;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.spec.Parameter;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * PyramidDrop: the decoder in stages of equal depth, at the end of each of which the same share of
 * the visual tokens leaves (Xing et al., "PyramidDrop: Accelerating Your Large Vision-Language
 * Models via Pyramid Visual Redundancy Reduction", CVPR 2025).
 *
 * <p>A visual token's score is the attention that the last prompt token pays to it, averaged over
 * heads. Positions are compacted at each site, as in the authors' code.
 *
 * <ul>
 *   <li>{@code rule=paper}: the attention is that of the last layer of the stage, k-1, and of the
 *       {@code v} tokens alive {@code ceil((1 - keep) v)} leave.
 *   <li>{@code rule=code}: the attention is that of layer k, computed ahead of it from the hidden
 *       states that enter it, and {@code floor(N * share)} tokens stay, of the N that entered the
 *       decoder; the share of stage s is {@code keep^s}. For keep=0.5 the counts are those of the
 *       paper.
 * </ul>
 *
 * @param rule {@code paper} or {@code code}
 * @param keep retention ratio of each stage, above 0 and at most 1 (the paper's lambda)
 * @param layers the first layers that run pruned; empty for 8, 16 and 24 of 32, scaled
 */
public record PyramidDrop(String rule, double keep, List<Integer> layers)
    implements DescribedStrategy {

  private static final String CODE = "code";
  private static final Type TYPE = new Type();

  public PyramidDrop {
    TYPE.check(rule, keep, layers);
    layers = List.copyOf(layers);
  }

  @Override
  public Type type() {
    return TYPE;
  }

  @Override
  public List<SitePlan> plan(ModelShape model) {
    List<SitePlan> sites = new ArrayList<>();
    for (int k : model.decoder().requireSplits(name(), layers, 8, 16, 24)) {
      int stage = sites.size() + 1;
      Expression attention =
          Observe.textToVisualAttention(rule.equals(CODE) ? k : k - 1, Rows.LAST);
      sites.add(
          new SitePlan(
              new Site.BeforeLayer(k),
              Set.of(attention),
              PositionPolicy.COMPACTED,
              (context, observations) ->
                  Selection.top(
                      observations.get(attention).row(0),
                      count(context.visualTokens(), context.enteredDecoder(), stage))));
    }
    return List.copyOf(sites);
  }

  private int count(int alive, int entered, int stage) {
    int count =
        rule.equals(CODE)
            ? (int) (entered * Math.pow(keep, stage))
            : alive - (int) Math.ceil((1 - keep) * alive);
    return Math.max(1, Math.min(alive, count));
  }

  /** The descriptor of {@link PyramidDrop}, for the service loader. */
  public static final class Type extends StrategyType<PyramidDrop> {

    public Type() {
      super(
          PyramidDrop.class,
          "pyramiddrop",
          "drops the same share of visual tokens at the end of each stage of the decoder",
          "Xing et al., PyramidDrop, CVPR 2025",
          Parameter.choice("rule", List.of("paper", CODE), "whose attention and which rounding"),
          Parameter.ratio("keep", 0.5, "share of visual tokens kept at each stage"),
          Parameter.layers("layers", "first layers that run pruned; unset 8/16/24 of 32, scaled"));
    }
  }
}
