package dev.squint.pruning.strategies.math;

import dev.squint.pruning.Strategy;
import dev.squint.pruning.TestModels;
import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.layout.VisualSpan;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observations;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SiteContext;
import dev.squint.pruning.site.SitePlan;
import java.util.List;
import java.util.Map;

/** LLaVA-1.5 7B's shapes, and one-site runs of a strategy on them. */
public final class Models {

  private Models() {}

  public static ModelShape llava(boolean hasCls) {
    return TestModels.llava(hasCls);
  }

  public static SitePlan onlySite(Strategy strategy) {
    List<SitePlan> plan = strategy.plan(llava(true));
    if (plan.size() != 1) {
      throw new AssertionError("one site expected: " + plan);
    }
    return plan.get(0);
  }

  /** A prompt of 35 text tokens, the spans, and one text token. */
  public static SiteContext context(Site site, long seed, int[]... grids) {
    VisualSpan[] spans = new VisualSpan[grids.length];
    int start = 35;
    for (int i = 0; i < grids.length; i++) {
      int length = grids[i][0] * grids[i][1];
      spans[i] = new VisualSpan(i, start, length, grids[i][0], grids[i][1]);
      start += length;
    }
    TokenLayout layout = new TokenLayout(start + 1, List.of(spans));
    return SiteContext.whole(site, layout, seed);
  }

  public static Selection select(Strategy strategy, long seed, int[]... grids) {
    SitePlan plan = onlySite(strategy);
    return plan.decision().select(context(plan.site(), seed, grids), Observations.none());
  }

  public static Selection select(Strategy strategy, float[] row, int[]... grids) {
    SitePlan plan = onlySite(strategy);
    Expression need = plan.needs().iterator().next();
    Observations observations = Observations.of(Map.of(need, new Observation(1, row.length, row)));
    return plan.decision().select(context(plan.site(), 0, grids), observations);
  }

  public static Selection select(
      Strategy strategy, Map<Expression, Observation> seen, int[]... grids) {
    SitePlan plan = onlySite(strategy);
    return plan.decision().select(context(plan.site(), 0, grids), Observations.of(seen));
  }
}
