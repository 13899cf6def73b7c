package dev.squint.samples.strategy;

import dev.squint.pruning.DescribedStrategy;
import dev.squint.pruning.StrategyType;
import dev.squint.pruning.observe.Axis;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Place;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Scope;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.spec.Budget;
import dev.squint.pruning.spec.Parameter;
import java.util.List;
import java.util.Set;

/**
 * Keeps the visual tokens with the longest value vectors in decoder layer k-1, heads averaged.
 *
 * @param k the first decoder layer that runs pruned
 * @param budget how many visual tokens stay
 */
public record LongestValues(int k, Budget budget) implements DescribedStrategy {

  private static final Parameter<Integer> K =
      Parameter.whole("k", 2, 1, "first decoder layer that runs pruned");
  private static final Budget.Parameters BUDGET = Budget.Parameters.of(0.5, Scope.REQUEST);
  private static final Type TYPE = new Type();

  /** Checks both. */
  public LongestValues {
    TYPE.check(k, budget);
  }

  @Override
  public Type type() {
    return TYPE;
  }

  @Override
  public List<SitePlan> plan(ModelShape model) {
    Expression lengths =
        Place.decoder(k - 1)
            .v(Rows.VISUAL)
            .norm(Axis.Kind.HEAD_WIDTH)
            .mean(Axis.Kind.KV_HEADS)
            .named("lengths of values in decoder layer %d", k - 1);
    return List.of(
        new SitePlan(
            new Site.BeforeLayer(k),
            Set.of(lengths),
            PositionPolicy.ORIGINAL,
            (context, seen) -> budget.top(context, seen.get(lengths).row(0))));
  }

  /** The descriptor, named in {@code META-INF/services}. */
  public static final class Type extends StrategyType<LongestValues> {

    /** For the service loader. */
    public Type() {
      super(
          LongestValues.class,
          "longest-values",
          "keeps the visual tokens with the longest value vectors in layer k-1",
          "an example",
          K,
          BUDGET);
    }
  }
}
