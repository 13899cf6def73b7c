package dev.squint.pruning.strategies.decoder;

import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observations;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.schedules.Schedule;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SiteContext;
import dev.squint.pruning.site.SitePlan;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * FastV's score on a schedule: before each of some layers k, as many visual tokens stay as the
 * schedule says, those to which the last prompt token pays the most attention in layer k-1,
 * averaged over heads; original positions.
 */
final class LastTokenAttentionSites {

  private LastTokenAttentionSites() {}

  static List<SitePlan> sites(ModelShape model, List<Integer> layers, Schedule schedule) {
    List<SitePlan> sites = new ArrayList<>();
    for (int k : layers) {
      int site = sites.size();
      Expression row = Observe.textToVisualAttention(k - 1, Rows.LAST);
      sites.add(
          new SitePlan(
              new Site.BeforeLayer(k),
              Set.of(row),
              PositionPolicy.ORIGINAL,
              (context, observations) ->
                  select(model, schedule, site, k, row, context, observations)));
    }
    return List.copyOf(sites);
  }

  private static Selection select(
      ModelShape model,
      Schedule schedule,
      int site,
      int layer,
      Expression row,
      SiteContext context,
      Observations observations) {
    float[] scores = observations.get(row).row(0);
    Schedule.Step step =
        new Schedule.Step(
            site,
            layer,
            model.decoder().layers(),
            context.enteredDecoder(),
            scores,
            new float[][] {scores});
    return Selection.top(scores, step.kept(schedule));
  }
}
