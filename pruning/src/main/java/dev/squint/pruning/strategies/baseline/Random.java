package dev.squint.pruning.strategies.baseline;

import dev.squint.pruning.DescribedStrategy;
import dev.squint.pruning.StrategyType;
import dev.squint.pruning.observe.Observations;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Scope;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SiteContext;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.spec.Budget;
import dev.squint.pruning.spec.Parameter;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * Keeps some of the N visual tokens that share a budget, drawn without replacement: the floor for
 * every scoring rule.
 *
 * <p>The draw is the first part of a Fisher-Yates shuffle: with {@code r = new
 * SplittableRandom(seed)} and the indices 0..N-1 in order, step i swaps place i with place {@code i
 * + r.nextInt(N - i)}; the first places, sorted, stay; the next budget draws on. The same seed
 * keeps the same tokens. After vision positions are compacted, before a decoder layer the original
 * ones stay.
 *
 * @param budget how many visual tokens stay, by default counted over all of the request
 * @param seed start of the draw; empty takes the request's seed
 * @param at where tokens leave
 */
public record Random(Budget budget, OptionalLong seed, Site at) implements DescribedStrategy {

  private static final Budget.Parameters BUDGET = Budget.Parameters.of(0.5, Scope.REQUEST);
  private static final Parameter<Site> AT =
      Parameter.site("at", new Site.AfterVision(), "where tokens leave");
  private static final Type TYPE = new Type();

  public Random {
    TYPE.check(budget, seed, at);
  }

  /**
   * With a budget by ratio.
   *
   * @param keep retention ratio, above 0 and at most 1
   * @param seed start of the draw, or empty
   * @param at where tokens leave
   */
  public Random(double keep, OptionalLong seed, Site at) {
    this(BUDGET.keeping(TYPE.name(), keep), seed, at);
  }

  @Override
  public Type type() {
    return TYPE;
  }

  @Override
  public List<SitePlan> plan(ModelShape model) {
    PositionPolicy positions = PositionPolicy.COMPACTED;
    if (at instanceof Site.BeforeLayer before) {
      model.decoder().requireSplit(name(), AT.name(), before.layer());
      positions = PositionPolicy.ORIGINAL;
    }
    return List.of(new SitePlan(at, Set.of(), positions, this::draw));
  }

  @Override
  public boolean drawsBySeed() {
    return seed.isEmpty() && (budget.tokens().isPresent() || budget.keep() < 1);
  }

  private Selection draw(SiteContext context, Observations observations) {
    SplittableRandom random = new SplittableRandom(seed.orElse(context.seed()));
    List<Scope.Group> groups = budget.scope().groups(context);
    int[] kept = new int[context.visualTokens()];
    int next = 0;
    for (Scope.Group group : groups) {
      int[] drawn = draw(random, group.size(), budget.count(group.size()));
      for (int index : drawn) {
        kept[next++] = group.from() + index;
      }
    }
    return budget.noted(Selection.of(Arrays.copyOf(kept, next)), groups);
  }

  private static int[] draw(SplittableRandom random, int tokens, int count) {
    int[] places = new int[tokens];
    Arrays.setAll(places, i -> i);
    for (int i = 0; i < count; i++) {
      int other = i + random.nextInt(tokens - i);
      int swap = places[i];
      places[i] = places[other];
      places[other] = swap;
    }
    int[] drawn = Arrays.copyOf(places, count);
    Arrays.sort(drawn);
    return drawn;
  }

  /** The descriptor of {@link Random}, for the service loader. */
  public static final class Type extends StrategyType<Random> {

    public Type() {
      super(
          Random.class,
          "random",
          "keeps a random share of the visual tokens",
          "baseline",
          BUDGET,
          Parameter.seed("seed", "start of the draw; the request's seed if left out"),
          AT);
    }
  }
}
