package dev.squint.pruning.strategies.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.error.StrategyException;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.shape.DecoderShape;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.strategies.math.Models;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.Scale;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FastVTest {

  @Test
  void readsTheLayerBeforeTheSplit() {
    SitePlan plan = Models.onlySite(new FastV(2, 0.5));
    assertThat(plan.site()).isEqualTo(new Site.BeforeLayer(2));
    assertThat(plan.needs()).containsExactly(Observe.textToVisualAttention(1, Rows.LAST));
    assertThat(plan.positions()).isEqualTo(PositionPolicy.ORIGINAL);
  }

  @Test
  void keepsTheMostAttended() {
    float[] attention = {0.01f, 0.2f, 0.05f, 0.05f, 0.3f, 0.05f};
    Selection selection = Models.select(new FastV(2, 0.5), attention, new int[] {2, 3});
    assertThat(selection.keptVisual()).containsExactly(1, 2, 4);
    assertThat(selection.scores()).containsExactly(attention);
  }

  @ParameterizedTest
  @CsvSource({"0.75, 432", "0.5, 288", "0.25, 144", "0.1, 58"})
  void publishedCounts(double keep, int count) {
    assertThat(Models.select(new FastV(2, keep), new float[576], new int[] {24, 24}).size())
        .isEqualTo(count);
  }

  @Test
  void keepOneKeepsAll() {
    assertThat(Models.select(new FastV(3, 1), new float[6], new int[] {2, 3}).keptVisual())
        .containsExactly(0, 1, 2, 3, 4, 5);
  }

  @Test
  void noImageIsNoError() {
    assertThat(Models.select(new FastV(2, 0.5), new float[0]).size()).isZero();
  }

  @Property
  void everyKeptTokenScoresAtLeastAsHighAsEveryDroppedOne(
      @ForAll @Size(min = 1, max = 300) float[] attention,
      @ForAll @DoubleRange(min = 0.001, max = 1) @Scale(4) double keep) {
    int[] kept =
        Models.select(new FastV(2, keep), attention, new int[] {1, attention.length}).keptVisual();
    boolean[] stays = new boolean[attention.length];
    float least = Float.POSITIVE_INFINITY;
    for (int index : kept) {
      stays[index] = true;
      least = Math.min(least, attention[index]);
    }
    for (int i = 0; i < stays.length; i++) {
      if (!stays[i]) {
        assertThat(attention[i]).isLessThanOrEqualTo(least);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {32, 40})
  void layerPastTheDecoder(int k) {
    assertThatThrownBy(() -> new FastV(k, 0.5).plan(Models.llava(true)))
        .isInstanceOf(StrategyException.class)
        .hasMessage(
            "strategy 'fastv': layer k=" + k + ", but the decoder has 32 layers; choose 1..31");
  }

  @Test
  void singleLayerDecoderCannotBeSplit() {
    ModelShape single =
        new ModelShape(
            "one", new DecoderShape(1, 8, 2, 1, 4, 16, 10), Models.llava(true).vision(), 576);
    assertThatThrownBy(() -> new FastV(1, 0.5).plan(single))
        .hasMessage(
            "strategy 'fastv': layer k=1, but the decoder has a single layer; choose a strategy that prunes after vision");
  }
}
