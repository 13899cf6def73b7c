package dev.squint.pruning.strategies.vision;

import static org.assertj.core.api.Assertions.assertThat;

import dev.squint.pruning.Strategies;
import dev.squint.pruning.TestModels;
import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.layout.VisualSpan;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observations;
import dev.squint.pruning.observe.Place;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SiteContext;
import dev.squint.pruning.site.SitePlan;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Where strategies merge, by what the projector of a model does. */
class MergingSiteTest {

  private static ModelShape model(boolean joins, Set<Integer> windowed) {
    ModelShape usual = TestModels.llava();
    return new ModelShape(
        usual.name(),
        usual.decoder(),
        usual.vision().toBuilder()
            .cls(false)
            .joinsInProjector(joins)
            .windowedLayers(windowed)
            .build(),
        usual.visualTokens());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "visionzip",
        "prumerge",
        "prumerge-plus",
        "vscan:stage=1",
        "mustdrop",
        "tome:merge=before"
      })
  void itLiesBehindAProjectorThatJoinsPatches(String spec) {
    SitePlan usual = Strategies.parse(spec).plan(model(false, Set.of())).get(0);
    SitePlan joined = Strategies.parse(spec).plan(model(true, Set.of())).get(0);
    assertThat(usual.site()).isEqualTo(new Site.BeforeProjector());
    assertThat(joined.site()).isEqualTo(new Site.AfterVision());
    assertThat(joined.merges()).isTrue();
    assertThat(joined.needs().stream().flatMap(Expression::leaves))
        .as("what is merged is what is compared")
        .noneMatch(leaf -> leaf.place().kind() == Place.Kind.BEFORE_PROJECTOR);
    assertThat(select(joined).notes()).anyMatch(note -> note.contains("merged behind it"));
    assertThat(select(usual).notes()).noneMatch(note -> note.contains("merged behind it"));
  }

  private static Selection select(SitePlan plan) {
    int tokens = 4;
    TokenLayout layout = new TokenLayout(tokens + 1, List.of(new VisualSpan(0, 0, tokens, 2, 2)));
    Map<Expression, Observation> seen = new HashMap<>();
    for (Expression need : plan.needs()) {
      int rows = need.pairsVisual() ? tokens : 1;
      seen.put(need, Observation.over(rows, tokens, new float[rows * tokens]));
    }
    return plan.decision().select(SiteContext.whole(plan.site(), layout, 0), Observations.of(seen));
  }

  @ParameterizedTest
  @ValueSource(strings = {"fastervlm", "visionzip", "prumerge", "vispruner", "scope", "tome"})
  void attentionIsThatOfTheLastLayerThatSeesTheWholeImage(String spec) {
    assertThat(visionLayers(spec, Set.of(21, 22))).containsOnly(20);
    assertThat(visionLayers(spec, Set.of(0, 1))).containsOnly(22);
  }

  @Test
  void vtcClsLeavesOutLayersThatAttendWithinWindows() {
    assertThat(visionLayers("vtc-cls", Set.of(21))).containsExactlyInAnyOrder(20, 22);
    assertThat(visionLayers("vtc-cls", Set.of(20, 21, 22))).containsExactly(19);
    SitePlan plan = Strategies.parse("vtc-cls").plan(model(true, Set.of(21))).get(0);
    assertThat(select(plan).notes()).anyMatch(note -> note.contains("layers [20, 22] alone"));
  }

  @Test
  void vscanLooksEarlyAtTheFirstLayerThatSeesTheWholeImage() {
    assertThat(visionLayers("vscan:stage=1,merge=off", Set.of(5, 6)))
        .containsExactlyInAnyOrder(7, 22);
  }

  private static Set<Integer> visionLayers(String spec, Set<Integer> windowed) {
    return Strategies.parse(spec).plan(model(true, windowed)).get(0).needs().stream()
        .flatMap(Expression::leaves)
        .filter(leaf -> leaf.place().kind() == Place.Kind.VISION)
        .map(leaf -> leaf.place().layer())
        .collect(Collectors.toSet());
  }
}
