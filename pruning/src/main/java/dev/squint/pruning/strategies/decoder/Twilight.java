package dev.squint.pruning.strategies.decoder;

import dev.squint.pruning.DescribedStrategy;
import dev.squint.pruning.StrategyType;
import dev.squint.pruning.schedules.TopP;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.spec.Parameter;
import java.util.List;

/**
 * Twilight's top-p rule for visual tokens: the fewest stay that hold a share p of the attention
 * (Lin et al., "Twilight: Adaptive Attention Sparsity with Hierarchical Top-p Pruning", 2025).
 *
 * <p>Before each of some layers k the visual tokens with the highest attention from the last prompt
 * token in layer k-1, averaged over heads, stay, as few as hold p of what it pays to all visual
 * tokens. Twilight itself takes nothing out: at every step it picks the keys of one attention, head
 * by head, from an estimate with 4-bit keys. Here the tokens leave for good, in the prefill, with
 * their original positions, so later layers are cheaper too. Layers 0 and 1 are left alone, as in
 * the paper; four sites instead of one per layer, because each site is a split.
 *
 * @param p share of the attention, above 0 and at most 1
 * @param layers the first layers that run pruned; empty for 2, 8, 16 and 24 of 32, scaled
 */
public record Twilight(double p, List<Integer> layers) implements DescribedStrategy {

  private static final Type TYPE = new Type();

  public Twilight {
    TYPE.check(p, layers);
    layers = List.copyOf(layers);
  }

  @Override
  public Type type() {
    return TYPE;
  }

  @Override
  public List<SitePlan> plan(ModelShape model) {
    List<Integer> splits = model.decoder().requireSplits(name(), layers, 2, 8, 16, 24);
    return LastTokenAttentionSites.sites(model, splits, new TopP(p));
  }

  /** The descriptor of {@link Twilight}, for the service loader. */
  public static final class Type extends StrategyType<Twilight> {

    public Type() {
      super(
          Twilight.class,
          "twilight",
          "keeps as few visual tokens as hold a share of the last token's attention",
          "Lin et al., Twilight, 2025",
          Parameter.ratio("p", 0.85, "share of the last token's attention that is kept"),
          Parameter.layers(
              "layers", "first layers that run pruned; unset 2/8/16/24 of 32, scaled"));
    }
  }
}
