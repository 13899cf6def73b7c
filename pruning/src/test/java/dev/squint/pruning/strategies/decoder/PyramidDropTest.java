package dev.squint.pruning.strategies.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.pruning.Strategies;
import dev.squint.pruning.Strategy;
import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.layout.VisualSpan;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observations;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SiteContext;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.strategies.math.Models;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PyramidDropTest {

  private static List<SitePlan> plan(String spec) {
    return Strategies.parse(spec).plan(Models.llava(true));
  }

  @Test
  void stagesOfEqualDepth() {
    assertThat(plan("pyramiddrop"))
        .extracting(SitePlan::site)
        .containsExactly(
            new Site.BeforeLayer(8), new Site.BeforeLayer(16), new Site.BeforeLayer(24));
    assertThat(plan("pyramiddrop"))
        .extracting(SitePlan::positions)
        .containsOnly(PositionPolicy.COMPACTED);
  }

  @Test
  void paperReadsTheStagesLastLayerAndCodeTheNextOne() {
    assertThat(plan("pyramiddrop:layers=5").get(0).needs())
        .containsExactly(Observe.textToVisualAttention(4, Rows.LAST));
    assertThat(plan("pyramiddrop:layers=5,rule=code").get(0).needs())
        .containsExactly(Observe.textToVisualAttention(5, Rows.LAST));
  }

  /** 1 - 0.7 is a little more than 0.3 in double precision, so 4 of 10 leave. */
  @ParameterizedTest
  @CsvSource({
    "576, 0.5, paper, 288, 144, 72",
    "2880, 0.5, paper, 1440, 720, 360",
    "577, 0.5, paper, 288, 144, 72",
    "576, 0.5, code, 288, 144, 72",
    "2880, 0.5, code, 1440, 720, 360",
    "577, 0.5, code, 288, 144, 72",
    "10, 0.7, paper, 6, 4, 2",
    "10, 0.7, code, 7, 4, 3",
    "3, 0.1, paper, 1, 1, 1",
    "6, 1.0, paper, 6, 6, 6"
  })
  void countsOfTheStages(int tokens, double keep, String rule, int first, int second, int third) {
    Strategy strategy = new PyramidDrop(rule, keep, List.of());
    assertThat(counts(strategy, tokens)).containsExactly(first, second, third);
  }

  private static List<Integer> counts(Strategy strategy, int tokens) {
    TokenLayout layout = new TokenLayout(tokens + 9, List.of(new VisualSpan(0, 5, tokens, 0, 0)));
    List<Integer> counts = new ArrayList<>();
    int[] alive = IntStream.range(0, tokens).toArray();
    for (SitePlan site : strategy.plan(Models.llava(true))) {
      SiteContext context =
          new SiteContext(
              site.site(), layout, alive, tokens, new SiteContext.Positions(alive, new int[0]), 0);
      Observations seen =
          Observations.of(
              Map.of(
                  site.needs().iterator().next(),
                  new Observation(1, alive.length, new float[alive.length])));
      alive = site.decision().select(context, seen).keptVisual();
      counts.add(alive.length);
    }
    return counts;
  }

  @Test
  void keepsTheMostAttended() {
    SitePlan site = plan("pyramiddrop:layers=3").get(0);
    float[] attention = {0.1f, 0.4f, 0.2f, 0.05f, 0.3f, 0.2f};
    Observations seen =
        Observations.of(Map.of(site.needs().iterator().next(), new Observation(1, 6, attention)));
    SiteContext context = Models.context(site.site(), 0, new int[] {2, 3});
    assertThat(site.decision().select(context, seen).keptVisual()).containsExactly(1, 2, 4);
  }

  @Test
  void layersThatDoNotFit() {
    assertThatThrownBy(() -> plan("pyramiddrop:layers=8/40"))
        .hasMessage(
            "strategy 'pyramiddrop': layer layers=40, but the decoder has 32 layers; choose 1..31");
    assertThatThrownBy(() -> plan("pyramiddrop:layers=8/8"))
        .hasMessage(
            "strategy 'pyramiddrop': layers=8/8 is out of range; choose ascending decoder layers of at least 1, joined by '/', such as 3/7/16");
  }
}
