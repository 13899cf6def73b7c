package dev.squint.pruning.strategies.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import dev.squint.pruning.Strategies;
import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.layout.VisualSpan;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Heads;
import dev.squint.pruning.observe.Measure;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observations;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.shape.DecoderShape;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.SiteContext;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.strategies.math.Models;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SparseVlmPlusTest {

  private static final Expression DOTS = Observe.embeddingSimilarity(Measure.DOT);
  private static final Expression TEXT =
      Observe.textToVisualAttention(2, Rows.TEXT_AFTER_VISUAL, Heads.EACH);
  private static final Expression LAST = Observe.textToVisualAttention(2, Rows.LAST);

  /** Two heads of width 2: one frequency of 1, g = sqrt(2) cos(distance). */
  private static final ModelShape SMALL =
      new ModelShape(
          "small", new DecoderShape(32, 4, 2, 2, 2, 8, 10), Models.llava(true).vision(), 4);

  private static Selection select(String spec, float[] maps) {
    SitePlan site = Strategies.parse(spec).plan(SMALL).get(0);
    TokenLayout layout = new TokenLayout(6, List.of(new VisualSpan(0, 0, 4, 2, 2)));
    Observations seen =
        Observations.of(
            Map.of(
                DOTS, new Observation(2, 4, new float[] {0, 0, 0, 0, 9, 9, 9, 9}),
                TEXT, new Observation(4, 4, maps),
                LAST, new Observation(1, 4, new float[4])));
    return site.decision().select(SiteContext.whole(site.site(), layout, 0), seen);
  }

  @Test
  void keepsOriginalPositionsAndMergesNothing() {
    SitePlan site = Strategies.parse("sparsevlm-plus").plan(Models.llava(true)).get(0);
    assertThat(site.needs()).containsExactlyInAnyOrder(DOTS, TEXT, LAST);
    assertThat(site.positions()).isEqualTo(PositionPolicy.ORIGINAL);
    assertThat(site.merges()).isFalse();
  }

  /** The second text rates, at position 5; visual tokens at 0..3, so distances 5, 4, 3, 2. */
  @Test
  void attentionIsCorrectedForDistance() {
    float[] maps = {1, 1, 1, 1, 0.1f, 0.2f, 0.3f, 0.4f, 1, 1, 1, 1, 0, 0, 0, 0.1f};
    float[] scores = select("sparsevlm-plus:heads=2", maps).scores();
    double root = Math.sqrt(2);
    float[] expected = {
      (float) (0.1 / (root * Math.cos(5)) / 2),
      (float) (0.2 / (root * Math.cos(4)) / 2),
      (float) (0.3 / (root * Math.cos(3)) / 2),
      (float) (0.5 / (root * Math.cos(2)) / 2)
    };
    assertThat(scores).containsExactly(expected, offset(1e-6f));
  }

  /** Sums 0.1 / cos 5 for the first head, 0.2 / cos 5 for the second; cos 5 is above 0. */
  @Test
  void headsWithTheLargestSumsCount() {
    float[] maps = {0, 0, 0, 0, 0.1f, 0, 0, 0, 0, 0, 0, 0, 0.2f, 0, 0, 0};
    float[] scores = select("sparsevlm-plus:heads=1", maps).scores();
    assertThat(scores[0]).isEqualTo((float) (0.2 / (Math.sqrt(2) * Math.cos(5))), offset(1e-6f));
  }

  @Test
  void countsOfTheTable() {
    assertThat(SparseVlmTable.PLUS.count("192", 2, 576)).isEqualTo(118);
    assertThat(SparseVlmTable.PLUS.count("64", 0, 144)).isEqualTo(16);
    assertThat(SparseVlmTable.FIRST.count("96", 1, 576)).isEqualTo(48);
    assertThat(SparseVlmTable.FIRST.count("96", 7, 576)).isEqualTo(26);
  }
}
