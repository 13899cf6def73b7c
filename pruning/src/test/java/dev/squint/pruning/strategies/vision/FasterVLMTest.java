package dev.squint.pruning.strategies.vision;

import static org.assertj.core.api.Assertions.assertThat;

import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.strategies.math.Models;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FasterVLMTest {

  /**
   * Feature layer -2 of CLIP's 24 layers is the output of layer index 22, the last of the 23 that
   * run.
   */
  @Test
  void readsTheFeatureLayer() {
    SitePlan plan = Models.onlySite(new FasterVLM(0.25));
    assertThat(plan.site()).isEqualTo(new Site.AfterVision());
    assertThat(plan.needs()).containsExactly(Observe.clsAttention(22));
    assertThat(plan.positions()).isEqualTo(PositionPolicy.COMPACTED);
  }

  @ParameterizedTest
  @CsvSource({"0.75, 432", "0.5, 288", "0.25, 144", "0.1, 58", "0.05, 29"})
  void publishedCounts(double keep, int count) {
    assertThat(Models.select(new FasterVLM(keep), new float[576], new int[] {24, 24}).size())
        .isEqualTo(count);
  }

  @Test
  void budgetIsPerSpan() {
    float[] attention = {0.9f, 0.8f, 0.7f, 0.6f, 0.1f, 0.4f, 0.3f, 0.2f};
    Selection selection =
        Models.select(new FasterVLM(0.5), attention, new int[] {2, 2}, new int[] {2, 2});
    assertThat(selection.keptVisual()).containsExactly(0, 1, 5, 6);
    assertThat(selection.scores()).containsExactly(attention);
  }

  @Test
  void withoutClsTheAttentionReceivedStandsIn() {
    assertThat(new FasterVLM(0.5).plan(Models.llava(false)).get(0).needs())
        .containsExactly(Observe.attentionReceived(22));
  }
}
