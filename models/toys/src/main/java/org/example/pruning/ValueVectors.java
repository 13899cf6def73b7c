package org.example.pruning;

import dev.squint.pruning.Strategy;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observation;
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
 * Keeps the visual tokens whose value vectors in a layer of the vision tower lie farthest from
 * their mean.
 *
 * @param layer the layer of the vision tower
 * @param keep how many tokens stay
 */
public record ValueVectors(int layer, int keep) implements Strategy {

  @Override
  public String name() {
    return "value-vectors";
  }

  @Override
  public String spec() {
    return "value-vectors:layer=%d,tokens=%d".formatted(layer, keep);
  }

  @Override
  public List<SitePlan> plan(ModelShape model) {
    Expression values =
        Place.vision(layer)
            .v(Rows.VISUAL)
            .joinHeads()
            .named("value vectors of vision layer %d", layer);
    return List.of(
        new SitePlan(
            new Site.AfterVision(),
            Set.of(values),
            PositionPolicy.COMPACTED,
            (context, seen) -> Selection.top(distances(seen.get(values)), keep)));
  }

  private static float[] distances(Observation values) {
    float[] distances = new float[values.rows()];
    for (int column = 0; column < values.columns(); column++) {
      float mean = 0;
      for (int token = 0; token < values.rows(); token++) {
        mean += values.at(token, column) / values.rows();
      }
      for (int token = 0; token < values.rows(); token++) {
        float apart = values.at(token, column) - mean;
        distances[token] += apart * apart;
      }
    }
    return distances;
  }
}
