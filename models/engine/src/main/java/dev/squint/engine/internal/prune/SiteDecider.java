package dev.squint.engine.internal.prune;

import dev.squint.engine.internal.tokens.PositionedTokens;
import dev.squint.engine.internal.tokens.TokenReduction;
import dev.squint.engine.internal.vision.TowerValues;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import dev.squint.error.StrategyException;
import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observations;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.SiteContext;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.trace.SiteTrace;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * Lets a strategy decide at its sites and keeps the record of it. One decider serves one request.
 */
public final class SiteDecider {

  private final String strategy;
  private final TokenLayout layout;
  private final long seed;
  private final Map<String, TowerValues> vision;
  private int entered = -1;
  private final List<String> notes = new ArrayList<>();
  private final List<SiteTrace> traces = new ArrayList<>();

  public SiteDecider(
      String strategy, TokenLayout layout, long seed, Map<String, TowerValues> vision) {
    this.strategy = strategy;
    this.layout = layout;
    this.seed = seed;
    this.vision = vision;
  }

  /**
   * Decides.
   *
   * @param planned the site
   * @param tokens what arrives
   * @param taps what was observed in the segment before the site
   * @param side observes what flows between vision tower and decoder
   * @return what goes on
   */
  public TokenReduction decide(
      PlannedSite planned, PositionedTokens tokens, TapValues taps, SideObserver side) {
    SitePlan plan = planned.plan();
    int[] originals = tokens.live().liveOriginals();
    int arriving = originals.length;
    if (plan.site().depth() < 0 || entered < 0) {
      entered = arriving;
    }
    if (arriving == 0) {
      notes.add("%s: no visual token was there to choose from".formatted(plan.site()));
      return TokenReduction.all(0);
    }
    long start = System.nanoTime();
    SiteContext context =
        new SiteContext(plan.site(), layout, originals, entered, tokens.ofSite(), seed);
    IdentityHashMap<Expression, Observation> seen = new IdentityHashMap<>();
    for (Need need : planned.needs()) {
      seen.put(
          need.expression(),
          switch (need.part()) {
            case VISION -> vision.get(need.canonical()).of(need.expression(), context);
            case BETWEEN -> side.observe(need.expression(), context);
            case DECODER -> taps.read(need);
          });
    }
    Selection selection =
        checked(plan, plan.decision().select(context, Observations.of(seen)), arriving);
    TokenReduction reduction = TokenReduction.of(context, selection);
    long nanos = System.nanoTime() - start;
    int left = reduction.liveVisual().length;
    if (left == 0 && arriving == tokens.live().count()) {
      throw new ModelException(
          Kind.REFUSED_STRATEGY,
          "strategy '%s' left no token at all at %s".formatted(strategy, plan.site()));
    }
    selection.notes().forEach(note -> notes.add("%s: %s".formatted(plan.site(), note)));
    traces.add(
        new SiteTrace(
            plan.site(),
            planned.observed(),
            arriving,
            left,
            tokens.live().originals(selection.keptVisual()),
            selection.added().stream().mapToInt(token -> originals[token.origin()]).toArray(),
            selection.scores(),
            nanos));
    return reduction;
  }

  private Selection checked(SitePlan plan, Selection selection, int arriving) {
    if (!plan.merges() && !selection.merged().isEmpty()) {
      throw new ModelException(
          Kind.REFUSED_STRATEGY,
          "strategy '%s' merges tokens at %s, but its plan does not say so; set merges in the site plan"
              .formatted(strategy, plan.site()));
    }
    try {
      return selection.requireFits(arriving);
    } catch (StrategyException e) {
      throw new ModelException(
          Kind.REFUSED_STRATEGY,
          "strategy '%s' at %s: %s".formatted(strategy, plan.site(), e.getMessage()),
          e);
    }
  }

  public List<String> notes() {
    return notes;
  }

  public List<SiteTrace> traces() {
    return traces;
  }

  public long selectionNanos() {
    return traces.stream().mapToLong(SiteTrace::selectionNanos).sum();
  }
}
