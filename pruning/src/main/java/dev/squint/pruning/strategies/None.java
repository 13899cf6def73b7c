package dev.squint.pruning.strategies;

import dev.squint.pruning.ModelFacts;
import dev.squint.pruning.SitePlan;
import dev.squint.pruning.Strategy;
import dev.squint.pruning.StrategyProvider;
import java.util.List;

/** Keeps every visual token: the run that all others are measured against. */
public record None() implements Strategy {

  private static final String NAME = "none";

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public String spec() {
    return NAME;
  }

  @Override
  public List<SitePlan> plan(ModelFacts model) {
    return List.of();
  }

  /** Makes {@link None}. */
  public static final class Provider extends StrategyProvider {

    /** For the service loader. */
    public Provider() {
      super(NAME, "keeps every visual token", "baseline", List.of(), given -> new None());
    }
  }
}
