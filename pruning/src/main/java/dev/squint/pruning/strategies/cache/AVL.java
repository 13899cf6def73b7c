package dev.squint.pruning.strategies.cache;

import dev.squint.error.StrategyException;
import dev.squint.pruning.DescribedStrategy;
import dev.squint.pruning.StrategyType;
import dev.squint.pruning.cache.KvCachePlan;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.spec.Parameter;
import java.util.List;
import java.util.Optional;

/**
 * A-VL, its part for decoding: the keys and values of minor visual tokens leave memory after the
 * prefill, those of secondary ones are attended to now and then, those of the core in each step
 * (Zhang et al., "A-VL: Adaptive Attention for Large Vision-Language Models", AAAI 2025).
 *
 * <p>A visual token's score in a layer is the attention that the last token pays it, averaged over
 * heads; every layer ranks for itself. Every {@code every}-th step sees all that stay and chooses
 * the core anew from what it attends to. The paper's shares and interval were not confirmed: the
 * defaults are ours. Its window of text with heavy hitters is left out, because text is never
 * dropped here; its prefill is FastV's, so compose the two: {@code fastv:k=2,keep=0.5 + avl}.
 *
 * @param core share of the visual tokens that every step attends to
 * @param stay share of the visual tokens that stays in memory, the core among them
 * @param every in which step all that stay are attended to
 */
public record AVL(double core, double stay, int every) implements DescribedStrategy {

  private static final Type TYPE = new Type();

  public AVL {
    TYPE.check(core, stay, every);
    if (core > stay) {
      throw new StrategyException(
          "strategy '%s': core=%s is more than stay=%s; choose a core among the tokens that stay"
              .formatted(TYPE.name(), core, stay));
    }
  }

  @Override
  public Type type() {
    return TYPE;
  }

  @Override
  public List<SitePlan> plan(ModelShape model) {
    return List.of();
  }

  @Override
  public Optional<KvCachePlan> cache(ModelShape model) {
    return Optional.of(new KvCachePlan.Split(core, stay, every));
  }

  /** The descriptor of {@link AVL}, for the service loader. */
  public static final class Type extends StrategyType<AVL> {

    public Type() {
      super(
          AVL.class,
          "avl",
          "evicts minor visual tokens from the cache and attends to secondary ones now and then",
          "Zhang et al., A-VL, AAAI 2025",
          Parameter.ratio("core", 0.25, "share of the visual tokens that every step attends to"),
          Parameter.ratio("stay", 0.5, "share of the visual tokens that stays in memory"),
          Parameter.whole("every", 8, 1, "in which step all that stay are attended to"));
    }
  }
}
