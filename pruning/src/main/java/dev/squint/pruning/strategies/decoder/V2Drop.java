package dev.squint.pruning.strategies.decoder;

import dev.squint.error.StrategyException;
import dev.squint.pruning.DescribedStrategy;
import dev.squint.pruning.StrategyType;
import dev.squint.pruning.observe.Axis;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Place;
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
 * V2Drop: drops the visual tokens that a decoder layer changes least, in stages (Chen et al.,
 * "Variation-aware Vision Token Dropping for Faster Large Vision-Language Models", CVPR 2026).
 *
 * <p>Before layer k a visual token's score is the Euclidean length of what layer k-1 added to its
 * hidden state. Of v tokens alive {@code floor(v * keep)} stay, at least one, with their original
 * positions. No attention is read, so fused kernels stay as they are, and only the lengths leave
 * the network.
 *
 * <p>This is the authors' code for LLaVA-1.5: half, half of those, and then all but one leave
 * before layers 3, 17 and 22 of 32, which is {@code (3 * 576 + 14 * 288 + 5 * 144 + 10) / 32},
 * about 203 of 576 tokens in the mean over layers. Its code for Qwen2-VL keeps a quarter and 5 %
 * before layers 3 and 16 of 28 and one token from 22 on: {@code keep=0.25/0.05/0,layers=3/16/22}.
 *
 * @param keep share of the tokens alive that stays, from 0 (one token) to 1, one per site or one
 *     for all; empty for 0.5, 0.5 and from the third site on 0
 * @param layers the first layers that run pruned; empty for 3, 17 and 22 of 32, scaled
 */
public record V2Drop(List<Double> keep, List<Integer> layers) implements DescribedStrategy {

  private static final List<Double> USUAL = List.of(0.5, 0.5, 0.0);
  private static final Parameter<List<Double>> KEEP =
      Parameter.numbers(
          "keep", 0, 1, "share kept at each site; unset 0.5/0.5/0, where 0 is one token");
  private static final Type TYPE = new Type();

  public V2Drop {
    TYPE.check(keep, layers);
    keep = List.copyOf(keep);
    layers = List.copyOf(layers);
    int sites = layers.isEmpty() ? USUAL.size() : layers.size();
    if (keep.size() > 1 && keep.size() != sites) {
      throw new StrategyException(
          "strategy '%s': keep=%s are %d numbers for %d sites; give one for each or one for all"
              .formatted(TYPE.name(), Parameter.joined(keep), keep.size(), sites));
    }
  }

  @Override
  public Type type() {
    return TYPE;
  }

  @Override
  public List<SitePlan> plan(ModelShape model) {
    List<Double> shares = keep.isEmpty() ? USUAL : keep;
    List<SitePlan> sites = new ArrayList<>();
    for (int k : model.decoder().requireSplits(name(), layers, 3, 17, 22)) {
      double share = shares.get(Math.min(sites.size(), shares.size() - 1));
      Expression change =
          Place.decoder(k)
              .hidden(Rows.VISUAL)
              .minus(Place.decoder(k - 1).hidden(Rows.VISUAL))
              .norm(Axis.Kind.HIDDEN)
              .named("change of hidden states by decoder layer %d (VISUAL)", k - 1);
      sites.add(
          new SitePlan(
              new Site.BeforeLayer(k),
              Set.of(change),
              PositionPolicy.ORIGINAL,
              (context, observations) ->
                  Selection.top(
                      observations.get(change).row(0), count(context.visualTokens(), share))));
    }
    return List.copyOf(sites);
  }

  private static int count(int alive, double share) {
    return Math.min(alive, Math.max(1, (int) (alive * share)));
  }

  /** The descriptor of {@link V2Drop}, for the service loader. */
  public static final class Type extends StrategyType<V2Drop> {

    public Type() {
      super(
          V2Drop.class,
          "v2drop",
          "drops the visual tokens that a decoder layer changes least, in stages",
          "Chen et al., Variation-aware Vision Token Dropping, CVPR 2026",
          KEEP,
          Parameter.layers("layers", "first layers that run pruned; unset 3/17/22 of 32, scaled"));
    }
  }
}
