package org.example;

import dev.squint.pruning.*;
import dev.squint.pruning.observe.*;
import dev.squint.pruning.shape.*;
import dev.squint.pruning.site.*;
import java.util.List;
import java.util.Set;

/** Drops the visual tokens that decoder layer {@code layer} moves least. */
public record StillTokens(int layer, int keep) implements Strategy {

  @Override
  public String name() {
    return "still-tokens";
  }

  @Override
  public String spec() {
    return "still-tokens:layer=%d,tokens=%d".formatted(layer, keep);
  }

  @Override
  public List<SitePlan> plan(ModelShape model) {
    Expression before = Place.decoder(layer).hidden(Rows.VISUAL);
    Expression after = Place.decoder(layer + 1).hidden(Rows.VISUAL);
    Expression moved =
        after.minus(before).norm(Axis.Kind.HIDDEN).named("moves in decoder layer %d", layer);
    return List.of(
        new SitePlan(
            new Site.BeforeLayer(layer + 1),
            Set.of(moved),
            PositionPolicy.ORIGINAL,
            (context, seen) -> Selection.top(seen.get(moved).row(0), keep)));
  }
}
