package dev.squint.pruning.strategies.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.error.StrategyException;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observations;
import dev.squint.pruning.shape.DecoderShape;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.strategies.math.Models;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class V2DropTest {

  @Test
  void readsHowFarTheLayerBeforeMovedTheTokens() {
    List<SitePlan> plan = Strategies.parse("v2drop").plan(Models.llava(true));
    assertThat(plan).extracting(site -> site.site().depth()).containsExactly(3, 17, 22);
    assertThat(plan).extracting(SitePlan::positions).containsOnly(PositionPolicy.ORIGINAL);
    assertThat(plan)
        .extracting(site -> need(site).canonical())
        .containsExactly(
            "norm(sub(decoder.3.hidden[visual],decoder.2.hidden[visual]),hidden)",
            "norm(sub(decoder.17.hidden[visual],decoder.16.hidden[visual]),hidden)",
            "norm(sub(decoder.22.hidden[visual],decoder.21.hidden[visual]),hidden)");
  }

  @Test
  void defaultLayersScaleWithTheDepth() {
    assertThat(Strategies.parse("v2drop").plan(ofDepth(8)))
        .extracting(site -> site.site().depth())
        .containsExactly(1, 4, 6);
    assertThat(Strategies.parse("v2drop").plan(ofDepth(2)))
        .extracting(site -> site.site().depth())
        .containsExactly(1);
  }

  @Test
  void keepsTheMostChanged() {
    assertThat(select("v2drop", 0, 0.5f, 3, 0.1f, 2, Float.NaN).keptVisual()).containsExactly(1, 3);
    assertThat(select("v2drop", 0, 1, 1, 1, 1).keptVisual()).containsExactly(0, 1);
  }

  /** 576 to 288 to 144 to 1, as in the authors' code. */
  @Test
  void publishedCounts() {
    assertThat(select("v2drop", 0, new float[576]).size()).isEqualTo(288);
    assertThat(select("v2drop", 1, new float[288]).size()).isEqualTo(144);
    assertThat(select("v2drop", 2, new float[144]).size()).isEqualTo(1);
  }

  @Test
  void countsAreRoundedDownToAtLeastOne() {
    assertThat(select("v2drop:keep=0.5", 0, new float[7]).size()).isEqualTo(3);
    assertThat(select("v2drop:keep=0.5", 2, new float[1]).size()).isEqualTo(1);
    assertThat(select("v2drop:keep=1", 2, new float[7]).size()).isEqualTo(7);
    assertThat(select("v2drop:keep=0", 0, new float[0]).size()).isZero();
  }

  @Test
  void oneShareForEachSiteOrOneForAll() {
    assertThat(select("v2drop:keep=0.25/0.75,layers=4/5", 1, new float[8]).size()).isEqualTo(6);
    assertThatThrownBy(() -> Strategies.parse("v2drop:keep=0.25/0.75"))
        .isInstanceOf(StrategyException.class)
        .hasMessage(
            "strategy 'v2drop': keep=0.25/0.75 are 2 numbers for 3 sites; give one for each or one for all");
  }

  private static ModelShape ofDepth(int layers) {
    return new ModelShape(
        "shallow", new DecoderShape(layers, 8, 2, 1, 4, 16, 10), Models.llava(true).vision(), 576);
  }

  private static Expression need(SitePlan plan) {
    return plan.needs().iterator().next();
  }

  private static Selection select(String spec, int site, float... changes) {
    SitePlan plan = Strategies.parse(spec).plan(Models.llava(true)).get(site);
    int[][] grids = changes.length == 0 ? new int[0][] : new int[][] {{1, changes.length}};
    return plan.decision()
        .select(
            Models.context(plan.site(), 0, grids),
            Observations.of(Map.of(need(plan), new Observation(1, changes.length, changes))));
  }
}
