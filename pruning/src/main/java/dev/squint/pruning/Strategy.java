package dev.squint.pruning;

import dev.squint.error.StrategyException;
import dev.squint.pruning.cache.KvCachePlan;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.SiteContext;
import dev.squint.pruning.site.SitePlan;
import java.util.List;
import java.util.Optional;

/**
 * A rule for which visual tokens stay, with its parameters fixed. Immutable and safe for use from
 * many threads; best a record, so that equal parameters make equal strategies.
 */
public interface Strategy {

  /**
   * The name under which the strategy is asked for.
   *
   * @return a lower-case word such as {@code fastv}
   */
  String name();

  /**
   * The canonical spec string, with every parameter written out. {@link Strategies#parse(String)}
   * makes an equal strategy from it.
   *
   * @return for example {@code fastv:k=2,keep=0.5}
   */
  String spec();

  /**
   * Says what this strategy does on a model.
   *
   * @param model the model's shapes
   * @return one plan per site, ordered by site; empty if nothing is pruned
   * @throws StrategyException if the strategy cannot act on this model, or a parameter does not fit
   *     it
   */
  List<SitePlan> plan(ModelShape model);

  /**
   * Says what this strategy does with the KV cache after the prefill. A strategy that acts there
   * alone plans no sites.
   *
   * @param model the model's shapes
   * @return its plan, empty by default
   * @throws StrategyException if the strategy cannot act on this model, or a parameter does not fit
   *     it
   */
  default Optional<KvCachePlan> cache(ModelShape model) {
    return Optional.empty();
  }

  /**
   * Says whether what stays can depend on {@link SiteContext#seed() the request's seed}. What does
   * not is asked once where a strategy that draws is asked once per seed.
   *
   * @return no by default; yes for strategies that draw, unless they have a seed of their own or
   *     keep everything
   */
  default boolean drawsBySeed() {
    return false;
  }
}
