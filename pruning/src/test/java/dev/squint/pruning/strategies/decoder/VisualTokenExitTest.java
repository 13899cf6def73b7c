package dev.squint.pruning.strategies.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.pruning.Strategies;
import dev.squint.pruning.cache.ExitRule;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observations;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.strategies.math.Models;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class VisualTokenExitTest {

  private static int kept(String spec, float... attention) {
    SitePlan site = Strategies.parse(spec).plan(Models.llava(true)).get(0);
    Expression need = Observe.textToVisualAttention(3, Rows.LAST);
    Observations seen =
        Observations.of(Map.of(need, new Observation(1, attention.length, attention)));
    return site.decision()
        .select(Models.context(site.site(), 0, new int[] {1, attention.length}), seen)
        .size();
  }

  @Test
  void looksAtTheLayerBefore() {
    List<SitePlan> plan = Strategies.parse("exit").plan(Models.llava(true));
    assertThat(plan).extracting(site -> site.site().depth()).containsExactly(8, 12, 16, 20, 24, 28);
    assertThat(plan.get(1).needs()).containsExactly(Observe.textToVisualAttention(11, Rows.LAST));
    assertThat(plan.get(1).positions()).isEqualTo(PositionPolicy.ORIGINAL);
  }

  @Test
  void allLeaveOrNone() {
    String spec = "exit:layers=4,below=0.25";
    assertThat(kept(spec, 0.125f, 0.0625f, 0.03f)).isZero();
    assertThat(kept(spec, 0.125f, 0.0625f, 0.0625f)).isEqualTo(3);
    assertThat(kept(spec, 0.5f, 0, 0)).isEqualTo(3);
    assertThat(kept(spec, Float.NaN, 0, 0)).isEqualTo(3);
  }

  @Test
  void fixedLayerLooksAtNothing() {
    List<SitePlan> plan = Strategies.parse("exit:rule=fixed,layers=4").plan(Models.llava(true));
    assertThat(plan).hasSize(1);
    assertThat(plan.get(0).site()).isEqualTo(new Site.BeforeLayer(4));
    assertThat(plan.get(0).needs()).isEmpty();
    assertThat(kept("exit:rule=fixed,layers=4", 0.9f, 0.05f)).isZero();
  }

  /** What a learned gate looks like: it sees rows of text and says yes or no. */
  @Test
  void hookForALearnedRule() {
    ExitRule gate =
        new ExitRule() {
          @Override
          public Set<Expression> needs(int layer) {
            return Set.of(Observe.hiddenStates(layer, Rows.TEXT_AFTER_VISUAL, false));
          }

          @Override
          public boolean exits(int layer, Observations seen) {
            Observation text = seen.get(needs(layer).iterator().next());
            return text.at(text.rows() - 1, 0) > layer;
          }

          @Override
          public String toString() {
            return "gate";
          }
        };
    VisualTokenExit exit = new VisualTokenExit(gate, List.of(4, 9));
    assertThat(exit.spec()).isEqualTo("exit:gate,layers=4/9");
    List<SitePlan> plan = exit.plan(Models.llava(true));
    for (SitePlan site : plan) {
      Expression need = site.needs().iterator().next();
      Observations seen = Observations.of(Map.of(need, new Observation(2, 1, new float[] {0, 6})));
      int left =
          site.decision().select(Models.context(site.site(), 0, new int[] {1, 3}), seen).size();
      assertThat(left).isEqualTo(site.site().depth() == 4 ? 0 : 3);
    }
  }

  @Test
  void shareOutOfRange() {
    assertThatThrownBy(() -> Strategies.parse("exit:below=2"))
        .hasMessageStartingWith("strategy 'exit': below=2 is out of range");
  }
}
