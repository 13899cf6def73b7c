package dev.squint.pruning.strategies;

import dev.squint.pruning.ModelFacts;
import dev.squint.pruning.Observations;
import dev.squint.pruning.Parameter;
import dev.squint.pruning.PositionPolicy;
import dev.squint.pruning.Retention;
import dev.squint.pruning.Selection;
import dev.squint.pruning.Site;
import dev.squint.pruning.SiteContext;
import dev.squint.pruning.SitePlan;
import dev.squint.pruning.Strategy;
import dev.squint.pruning.StrategyProvider;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * Keeps {@code rint(N * keep)} visual tokens drawn without replacement: the floor for every scoring
 * rule.
 *
 * <p>The draw is the first part of a Fisher-Yates shuffle: with {@code r = new
 * SplittableRandom(seed)} and the indices 0..N-1 in order, step i swaps place i with place {@code i
 * + r.nextInt(N - i)}; the first places, sorted, stay. The same seed keeps the same tokens. After
 * vision positions are compacted, before a decoder layer the original ones stay.
 *
 * @param keep retention ratio, above 0 and at most 1
 * @param seed start of the draw; empty takes the request's seed
 * @param at where tokens leave
 */
public record Random(double keep, OptionalLong seed, Site at) implements Strategy {

  private static final String NAME = "random";
  private static final Parameter.Ratio KEEP =
      new Parameter.Ratio("keep", 0.5, "share of visual tokens kept");
  private static final Parameter.Seed SEED =
      new Parameter.Seed("seed", "start of the draw; the request's seed if left out");
  private static final Parameter.Place AT =
      new Parameter.Place("at", new Site.AfterVision(), "where tokens leave");

  public Random {
    KEEP.check(NAME, keep);
    Objects.requireNonNull(seed, "seed");
    Objects.requireNonNull(at, "at");
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public String spec() {
    String drawn = seed.isPresent() ? ",seed=" + seed.getAsLong() : "";
    return NAME + ":keep=" + keep + drawn + ",at=" + Parameter.Place.text(at);
  }

  @Override
  public List<SitePlan> plan(ModelFacts model) {
    PositionPolicy positions = PositionPolicy.COMPACTED;
    if (at instanceof Site.BeforeLayer before) {
      model.decoder().requireCut(NAME, AT.name(), before.layer());
      positions = PositionPolicy.ORIGINAL;
    }
    return List.of(new SitePlan(at, Set.of(), positions, this::draw));
  }

  private Selection draw(SiteContext context, Observations observations) {
    int tokens = context.visualTokens();
    int[] places = new int[tokens];
    Arrays.setAll(places, i -> i);
    SplittableRandom random = new SplittableRandom(seed.orElse(context.seed()));
    int count = Retention.count(tokens, keep);
    for (int i = 0; i < count; i++) {
      int other = i + random.nextInt(tokens - i);
      int swap = places[i];
      places[i] = places[other];
      places[other] = swap;
    }
    int[] kept = Arrays.copyOf(places, count);
    Arrays.sort(kept);
    return Selection.of(kept);
  }

  /** Makes {@link Random}. */
  public static final class Provider extends StrategyProvider {

    /** For the service loader. */
    public Provider() {
      super(
          NAME,
          "keeps a random share of the visual tokens",
          "baseline",
          List.of(KEEP, SEED, AT),
          given -> new Random(given.get(KEEP), given.get(SEED), given.get(AT)));
    }
  }
}
