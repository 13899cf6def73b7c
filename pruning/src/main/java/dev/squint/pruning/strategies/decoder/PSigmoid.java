package dev.squint.pruning.strategies.decoder;

import dev.squint.error.StrategyException;
import dev.squint.pruning.DescribedStrategy;
import dev.squint.pruning.StrategyType;
import dev.squint.pruning.schedules.Sigmoid;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.spec.Parameter;
import java.util.List;

/**
 * P-Sigmoid: FastV's score with shares that fall along a sigmoid over depth, fitted to a budget
 * (Zhao et al., "Accelerating Multimodal Large Language Models by Searching Optimal Vision Token
 * Reduction", CVPR 2025).
 *
 * <p>The paper finds that the ranking of visual tokens by attention is alike in all layers but the
 * first, so that only the number per layer is left to choose. The exact form of its sigmoid, which
 * Bayesian optimisation fits, could not be confirmed; {@link Sigmoid} is ours, its middle is found
 * by bisection so that {@code keep} is the mean share over all layers, and steepness, low and high
 * are parameters. Original positions.
 *
 * @param keep mean share of visual tokens over the layers, above 0 and at most 1
 * @param steep how steeply shares fall, above 0
 * @param low share in the limit of depth, from 0 to 1
 * @param layers the first layers that run pruned; empty for 4, 8, 12, 16, 20, 24 and 28 of 32,
 *     scaled
 */
public record PSigmoid(double keep, double steep, double low, List<Integer> layers)
    implements DescribedStrategy {

  private static final Type TYPE = new Type();

  public PSigmoid {
    TYPE.check(keep, steep, low, layers);
    layers = List.copyOf(layers);
  }

  @Override
  public Type type() {
    return TYPE;
  }

  @Override
  public List<SitePlan> plan(ModelShape model) {
    List<Integer> splits = model.decoder().requireSplits(name(), layers, 4, 8, 12, 16, 20, 24, 28);
    if (keep == 1) {
      return LastTokenAttentionSites.sites(model, splits, step -> step.alive());
    }
    int depth = model.decoder().layers();
    double least = (splits.get(0) + low * (depth - splits.get(0))) / depth;
    if (keep < least) {
      throw new StrategyException(
          "strategy '%s': keep=%s, but all tokens run in the first %d of %d layers, so the mean is at least %.3f; choose earlier layers or more"
              .formatted(TYPE.name(), keep, splits.get(0), depth, least));
    }
    return LastTokenAttentionSites.sites(
        model, splits, Sigmoid.averaging(steep, low, 1, splits, depth, keep));
  }

  /** The descriptor of {@link PSigmoid}, for the service loader. */
  public static final class Type extends StrategyType<PSigmoid> {

    public Type() {
      super(
          PSigmoid.class,
          "psigmoid",
          "lets the share of visual tokens fall along a sigmoid over the layers",
          "Zhao et al., Searching Optimal Vision Token Reduction, CVPR 2025",
          Parameter.ratio("keep", 0.5, "mean share of visual tokens over all layers"),
          Parameter.number("steep", 10, 0.1, 1000, "how steeply shares fall"),
          Parameter.number("low", 0.02, 0, 1, "share in the limit of depth"),
          Parameter.layers(
              "layers", "first layers that run pruned; unset 4/8/12/16/20/24/28 of 32, scaled"));
    }
  }
}
