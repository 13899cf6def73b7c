package dev.squint.pruning;

import dev.squint.error.StrategyException;
import dev.squint.pruning.cache.KvCachePlan;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.SitePlan;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Several strategies, each at its own sites: {@code fastervlm:keep=0.5 + fastv:k=2,keep=0.5}. What
 * one leaves is what the next sees; ratios are of the tokens alive at a strategy's site. At most
 * one of them may act on the KV cache.
 *
 * @param parts at least two
 */
public record Composition(List<Strategy> parts) implements Strategy {

  /** Checks the number of parts. */
  public Composition {
    parts = List.copyOf(parts);
    if (parts.size() < 2) {
      throw new StrategyException("a composition joins at least two strategies");
    }
  }

  @Override
  public String name() {
    return parts.stream().map(Strategy::name).collect(Collectors.joining(" + "));
  }

  @Override
  public String spec() {
    return parts.stream().map(Strategy::spec).collect(Collectors.joining(" + "));
  }

  @Override
  public List<SitePlan> plan(ModelShape model) {
    List<SitePlan> sites = new ArrayList<>();
    for (Strategy part : parts) {
      for (SitePlan site : part.plan(model)) {
        if (sites.stream().anyMatch(other -> other.site().equals(site.site()))) {
          throw new StrategyException(
              "strategy '%s': two of its parts act at %s; give each a site of its own"
                  .formatted(spec(), site.site()));
        }
        sites.add(site);
      }
    }
    sites.sort(Comparator.comparingInt(site -> site.site().depth()));
    return List.copyOf(sites);
  }

  @Override
  public boolean drawsBySeed() {
    return parts.stream().anyMatch(Strategy::drawsBySeed);
  }

  @Override
  public Optional<KvCachePlan> cache(ModelShape model) {
    List<KvCachePlan> plans = parts.stream().flatMap(part -> part.cache(model).stream()).toList();
    if (plans.size() > 1) {
      throw new StrategyException(
          "strategy '%s': two of its parts act on the KV cache; choose one of them"
              .formatted(spec()));
    }
    return plans.stream().findFirst();
  }
}
