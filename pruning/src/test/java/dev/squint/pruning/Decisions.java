package dev.squint.pruning;

import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.layout.VisualSpan;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Leaf;
import dev.squint.pruning.observe.Named;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observations;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.MergedToken;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SiteContext;
import dev.squint.pruning.site.SitePlan;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * All that a strategy decides over one prompt of LLaVA-1.5's shapes, with what it observes drawn
 * beforehand. Each site sees what the one before it left. Observations that differ in the layer
 * alone are the same, which saves memory and changes no time.
 *
 * @param sites in the order of the network
 */
record Decisions(List<Site> sites) {

  private static final ModelShape MODEL = TestModels.llava();

  /** Wide enough that more tokens can be picked than any default keeps. */
  private static final int RANK = 384;

  /**
   * A site ready to decide.
   *
   * @param plan the strategy's plan
   * @param context the request there
   * @param observations what the plan asked for
   */
  record Site(SitePlan plan, SiteContext context, Observations observations) {

    Selection decide() {
      return plan.decision().select(context, observations);
    }
  }

  /** An image of tiles of 24 x 24, or one of 48 x 60 in one piece. */
  private static TokenLayout layout(int tiles, int length) {
    int rows = length > 576 ? 48 : 24;
    List<VisualSpan> spans =
        IntStream.range(0, tiles)
            .mapToObj(
                tile -> new VisualSpan(0, tile, 35 + tile * length, length, rows, length / rows))
            .toList();
    return new TokenLayout(35 + tiles * length + 45, spans);
  }

  /**
   * What a strategy decides.
   *
   * @param spec the strategy
   * @param image tiles and tokens of each, such as {@code 5x576}
   */
  static Decisions of(String spec, String image) {
    String[] numbers = image.split("x");
    TokenLayout layout = layout(Integer.parseInt(numbers[0]), Integer.parseInt(numbers[1]));
    SiteContext whole =
        SiteContext.whole(new dev.squint.pruning.site.Site.AfterVision(), layout, 1);
    int[] positions = whole.positions().visual();
    int[] alive = whole.liveOriginals();
    int entered = alive.length;
    List<Site> sites = new ArrayList<>();
    for (SitePlan plan : Strategies.parse(spec).plan(MODEL)) {
      if (alive.length == 0) {
        break;
      }
      if (plan.site().depth() < 0) {
        entered = alive.length;
      }
      SiteContext context =
          new SiteContext(
              plan.site(),
              layout,
              alive,
              entered,
              new SiteContext.Positions(
                  Arrays.stream(alive).map(token -> positions[token]).toArray(),
                  whole.positions().text()),
              1);
      Site site = new Site(plan, context, observe(plan, context));
      sites.add(site);
      int[] before = alive;
      Selection selection = site.decide();
      alive =
          IntStream.concat(
                  Arrays.stream(selection.keptVisual()),
                  selection.added().stream().mapToInt(MergedToken::origin))
              .sorted()
              .map(token -> before[token])
              .toArray();
    }
    return new Decisions(sites);
  }

  private static Observations observe(SitePlan plan, SiteContext context) {
    Map<String, Observation> drawn = new HashMap<>();
    Map<Expression, Observation> seen = new HashMap<>();
    for (Expression need : plan.needs()) {
      seen.put(need, drawn.computeIfAbsent(alike(need), name -> draw(need, name, plan, context)));
    }
    return Observations.of(seen);
  }

  private static Observation draw(
      Expression need, String name, SitePlan plan, SiteContext context) {
    Expression named = new Named(name, need);
    SitePlan one = new SitePlan(plan.site(), Set.of(named), plan.positions(), plan.decision());
    return new RandomObservations(MODEL, 1, RANK).of(one, context).get(named);
  }

  private static String alike(Expression need) {
    return need.pairsVisual() ? "similarity" : need.toString().replaceFirst("layer \\d+", "layer");
  }

  /** Whether vectors are compared or merged, or else a row of scores is ranked. */
  boolean comparesOrMerges() {
    return sites.stream()
        .anyMatch(
            site ->
                site.plan.merges() || site.plan.needs().stream().anyMatch(Decisions::isOfVectors));
  }

  private static boolean isOfVectors(Expression need) {
    return need.leaves()
        .noneMatch(
            leaf -> leaf.tensor() == Leaf.Tensor.PROBABILITIES || leaf.tensor() == Leaf.Tensor.MLP);
  }
}
