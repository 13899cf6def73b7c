package dev.squint.pruning.strategies.baseline;

import dev.squint.pruning.DescribedStrategy;
import dev.squint.pruning.StrategyType;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.SitePlan;
import java.util.List;

/** Keeps every visual token: the run that all others are measured against. */
public record None() implements DescribedStrategy {

  private static final Type TYPE = new Type();

  @Override
  public Type type() {
    return TYPE;
  }

  @Override
  public List<SitePlan> plan(ModelShape model) {
    return List.of();
  }

  /** The descriptor of {@link None}, for the service loader. */
  public static final class Type extends StrategyType<None> {

    public Type() {
      super(None.class, "none", "keeps every visual token", "baseline");
    }
  }
}
