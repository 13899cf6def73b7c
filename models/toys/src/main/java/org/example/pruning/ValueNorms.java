package org.example.pruning;

import dev.squint.pruning.Strategy;
import dev.squint.pruning.observe.Axis;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Place;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SitePlan;
import java.util.List;
import java.util.Set;

/**
 * Keeps the visual tokens with the longest value vectors of a decoder layer, heads averaged.
 *
 * @param layer the layer
 * @param keep how many tokens stay
 */
public record ValueNorms(int layer, int keep) implements Strategy {

  @Override
  public String name() {
    return "value-norms";
  }

  @Override
  public String spec() {
    return "value-norms:layer=%d,tokens=%d".formatted(layer, keep);
  }

  @Override
  public List<SitePlan> plan(ModelShape model) {
    Expression norms =
        Place.decoder(layer)
            .v(Rows.VISUAL)
            .norm(Axis.Kind.HEAD_WIDTH)
            .mean(Axis.Kind.KV_HEADS)
            .named("value norms of decoder layer %d", layer);
    return List.of(
        new SitePlan(
            new Site.BeforeLayer(layer + 1),
            Set.of(norms),
            PositionPolicy.ORIGINAL,
            (context, seen) -> Selection.top(seen.get(norms).row(0), keep)));
  }
}
