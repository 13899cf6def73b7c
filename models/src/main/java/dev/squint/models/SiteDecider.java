package dev.squint.models;

import dev.squint.models.graph.Tap;
import dev.squint.models.graph.VisionTap;
import dev.squint.pruning.Observation;
import dev.squint.pruning.ObservationRequest;
import dev.squint.pruning.Observations;
import dev.squint.pruning.Scope;
import dev.squint.pruning.Selection;
import dev.squint.pruning.Site;
import dev.squint.pruning.SiteContext;
import dev.squint.pruning.SitePlan;
import dev.squint.pruning.SiteTrace;
import dev.squint.pruning.SquintException.Kind;
import dev.squint.pruning.StrategyException;
import dev.squint.pruning.TokenLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Lets a strategy decide at its sites and keeps the record of it. One decider serves one request.
 */
final class SiteDecider {

  private final String strategy;
  private final TokenLayout layout;
  private final int originalVisual;
  private final long seed;
  private final Map<VisionTap, Observation> vision;
  private int entered = -1;
  private final List<String> notes = new ArrayList<>();
  private final List<SiteTrace> traces = new ArrayList<>();

  SiteDecider(
      String strategy,
      TokenLayout layout,
      int originalVisual,
      long seed,
      Map<VisionTap, Observation> vision) {
    this.strategy = strategy;
    this.layout = layout;
    this.originalVisual = originalVisual;
    this.seed = seed;
    this.vision = vision;
  }

  /**
   * Decides.
   *
   * @param plan the site
   * @param rows the tokens that arrive
   * @param positions their rotary positions
   * @param taps what the segment before the site handed out
   * @param beside answers what neither decoder nor vision tower hand out
   * @return what goes on
   */
  Passage decide(
      SitePlan plan, TokenRows rows, RotaryPositions positions, Taps taps, Beside beside) {
    int[] alive = rows.aliveVisual();
    if (plan.site().depth() < 0 || entered < 0) {
      entered = alive.length;
    }
    if (alive.length == 0) {
      notes.add("%s: no visual token was there to choose from".formatted(plan.site()));
      return Passage.all(0);
    }
    long start = System.nanoTime();
    SiteContext context =
        new SiteContext(plan.site(), layout, alive, entered, rows.positions(positions), seed);
    Map<ObservationRequest, Observation> seen = new HashMap<>();
    for (ObservationRequest need : plan.needs()) {
      seen.put(
          need,
          Beside.answers(need)
              ? beside.observe(need, context)
              : observe(need, context, rows, taps));
    }
    Selection selection =
        checked(plan, plan.decision().select(context, Observations.of(seen)), alive.length);
    Passage passage = Passage.of(context, selection);
    long nanos = System.nanoTime() - start;
    int left = passage.visual().length;
    if (left == 0 && alive.length == rows.count()) {
      throw new ModelException(
          Kind.REFUSED_STRATEGY,
          "strategy '%s' left no token at all at %s".formatted(strategy, plan.site()));
    }
    selection.notes().forEach(note -> notes.add("%s: %s".formatted(plan.site(), note)));
    traces.add(
        new SiteTrace(
            plan.site(),
            plan.needs().stream().map(Object::toString).sorted().toList(),
            alive.length,
            left,
            Arrays.stream(selection.keptVisual()).map(i -> alive[i]).toArray(),
            selection.added().stream().mapToInt(token -> alive[token.origin()]).toArray(),
            selection.scores(),
            nanos));
    return passage;
  }

  private Observation observe(
      ObservationRequest need, SiteContext context, TokenRows rows, Taps taps) {
    Optional<Tap> tap = PruningPlan.tapFor(need);
    if (tap.isPresent()) {
      return need instanceof ObservationRequest.TextToVisualAttention attention
          ? taps.attention(tap.get(), rows.queries(attention.rows()))
          : taps.perToken(tap.get());
    }
    VisionTap seen = PruningPlan.visionTapFor(need).orElseThrow();
    Observation whole = vision.get(seen);
    int patches = seen.kind().compares() ? whole.rows() : whole.columns();
    if (patches != originalVisual) {
      throw new ModelException(
          "%s speaks of %d patches, but the picture has %d visual tokens; a tower that merges patches cannot be scored this way"
              .formatted(need, patches, originalVisual));
    }
    if (!seen.kind().compares()) {
      return perToken(whole, context.alive());
    }
    checkTiles(need, whole.columns());
    return compared(whole, context);
  }

  /** Patches are compared within what the tower takes as one picture, which has to be a tile. */
  private void checkTiles(ObservationRequest need, int patches) {
    for (Scope.Group tile :
        Scope.TILE.groups(SiteContext.whole(new Site.AfterVision(), layout, seed))) {
      if (tile.size() != patches) {
        throw new ModelException(
            "%s compares the %d patches of one picture, but the prompt has a tile of %d visual tokens; lay out each picture that the tower takes as a tile of its own"
                .formatted(need, patches, tile.size()));
      }
    }
  }

  private static Observation perToken(Observation whole, int[] alive) {
    float[] cells = new float[alive.length];
    for (int i = 0; i < alive.length; i++) {
      cells[i] = whole.at(0, alive[i]);
    }
    return new Observation(1, cells.length, cells);
  }

  /** Of the cosines between all patches of a tile those between tokens alive. */
  private Observation compared(Observation whole, SiteContext context) {
    int perTile = whole.columns();
    int[] alive = context.alive();
    if (Arrays.equals(alive, IntStream.range(0, originalVisual).toArray())) {
      return whole;
    }
    List<Scope.Group> tiles = Scope.TILE.groups(context);
    int columns = tiles.stream().mapToInt(Scope.Group::size).max().orElse(0);
    float[] cells = new float[alive.length * columns];
    for (Scope.Group tile : tiles) {
      for (int i = tile.from(); i < tile.to(); i++) {
        for (int j = tile.from(); j < tile.to(); j++) {
          cells[i * columns + j - tile.from()] = whole.at(alive[i], alive[j] % perTile);
        }
      }
    }
    return new Observation(alive.length, columns, cells);
  }

  private Selection checked(SitePlan plan, Selection selection, int alive) {
    if (!plan.merges() && !selection.merged().isEmpty()) {
      throw new ModelException(
          Kind.REFUSED_STRATEGY,
          "strategy '%s' merges tokens at %s, but its plan does not say so; set merges in the site plan"
              .formatted(strategy, plan.site()));
    }
    try {
      return selection.requireFits(alive);
    } catch (StrategyException e) {
      throw new ModelException(
          Kind.REFUSED_STRATEGY,
          "strategy '%s' at %s: %s".formatted(strategy, plan.site(), e.getMessage()),
          e);
    }
  }

  List<String> notes() {
    return notes;
  }

  List<SiteTrace> traces() {
    return traces;
  }

  long selectionNanos() {
    return traces.stream().mapToLong(SiteTrace::selectionNanos).sum();
  }
}
