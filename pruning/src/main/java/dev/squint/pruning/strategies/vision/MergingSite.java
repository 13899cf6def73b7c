package dev.squint.pruning.strategies.vision;

import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.shape.VisionShape;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SiteDecision;
import dev.squint.pruning.site.SitePlan;
import java.util.Set;

/** The site of strategies that merge before the projector where the model lets them. */
final class MergingSite {

  private MergingSite() {}

  /**
   * A plan for the {@linkplain VisionShape#mergingSite() merging site} of a tower; the trace says
   * so where it lies behind the projector.
   */
  static SitePlan plan(VisionShape vision, Set<Expression> needs, SiteDecision decision) {
    Site site = vision.mergingSite();
    SiteDecision noted =
        vision.joinsInProjector()
            ? (context, seen) ->
                decision
                    .select(context, seen)
                    .withNote("the projector joins patches itself, so tokens are merged behind it")
            : decision;
    return new SitePlan(site, needs, PositionPolicy.COMPACTED, true, noted);
  }
}
