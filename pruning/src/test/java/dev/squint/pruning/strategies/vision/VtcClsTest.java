package dev.squint.pruning.strategies.vision;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.pruning.Strategies;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observations;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.shape.DecoderShape;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.shape.VisionShape;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.strategies.math.Models;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class VtcClsTest {

  /** Layers 20 to 22 in the paper, 16 to 22 in the authors' command line. */
  @Test
  void readsTheLastLayersThatRun() {
    SitePlan paper = Models.onlySite(new VtcCls(0.25));
    assertThat(paper.site()).isEqualTo(new Site.AfterVision());
    assertThat(paper.needs())
        .containsExactlyInAnyOrder(
            Observe.clsAttention(20), Observe.clsAttention(21), Observe.clsAttention(22));
    assertThat(Models.onlySite(Strategies.parse("vtc-cls:rule=code")).needs())
        .hasSize(7)
        .contains(Observe.clsAttention(16), Observe.clsAttention(22));
    assertThat(Models.onlySite(Strategies.parse("vtc-cls:rule=code,layers=1")).needs())
        .containsExactly(Observe.clsAttention(22));
    assertThat(new VtcCls(0.5).plan(Models.llava(false)).get(0).needs())
        .contains(Observe.attentionReceived(20));
  }

  /** No single layer ranks as their mean does: 0.5, 0.2, 0.4, 0.3. */
  @Test
  void averagesLayers() {
    Map<Expression, Observation> seen = new HashMap<>();
    seen.put(Observe.clsAttention(20), new Observation(1, 4, new float[] {0, 0, 0.6f, 0.6f}));
    seen.put(Observe.clsAttention(21), new Observation(1, 4, new float[] {0.9f, 0.6f, 0, 0}));
    seen.put(Observe.clsAttention(22), new Observation(1, 4, new float[] {0.6f, 0, 0.6f, 0.3f}));
    SitePlan plan = Models.onlySite(new VtcCls(0.5));
    Selection selection =
        plan.decision()
            .select(Models.context(plan.site(), 0, new int[] {2, 2}), Observations.of(seen));
    assertThat(selection.keptVisual()).containsExactly(0, 2);
    assertThat(selection.scores())
        .usingComparatorWithPrecision(1e-6f)
        .containsExactly(0.5f, 0.2f, 0.4f, 0.3f);
    assertThat(selection.notes()).isEmpty();
  }

  @Test
  void saysWhatAShallowTowerCannotGive() {
    ModelShape shallow =
        new ModelShape(
            "shallow",
            new DecoderShape(8, 128, 4, 2, 32, 256, 100),
            VisionShape.builder()
                .layers(5)
                .hidden(64)
                .heads(4)
                .intermediate(128)
                .grid(2, 2)
                .patchDim(588)
                .cls(true)
                .projectorHidden(128)
                .build(),
            4);
    SitePlan code = Strategies.parse("vtc-cls:rule=code").plan(shallow).get(0);
    assertThat(code.needs()).hasSize(5);
    Map<Expression, Observation> seen = new HashMap<>();
    code.needs().forEach(need -> seen.put(need, new Observation(1, 4, new float[4])));
    assertThat(
            code.decision()
                .select(Models.context(code.site(), 0, new int[] {2, 2}), Observations.of(seen))
                .notes())
        .containsExactly(
            "rule=code averages 7 vision layers, but 5 run, so all of those are averaged");
    assertThatThrownBy(() -> Strategies.parse("vtc-cls:layers=6").plan(shallow))
        .hasMessage("strategy 'vtc-cls': layers=6, but the vision tower runs 5; choose 1..5");
    assertThatThrownBy(() -> Strategies.parse("vtc-cls:layers=0"))
        .hasMessage(
            "strategy 'vtc-cls': layers=0 is out of range; choose a whole number of at least 1");
  }
}
