package dev.squint.pruning.strategies.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.squint.error.StrategyException;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.layout.VisualSpan;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observations;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Scope;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SiteContext;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.spec.Budget;
import dev.squint.pruning.strategies.math.Models;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.FloatRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class PriorTRTest {

  private static final Expression TEXT = Observe.textToVisualAttention(2, Rows.TEXT_AFTER_VISUAL);
  private static final Expression FIRST = Observe.textToVisualAttention(2, Rows.FIRST_AFTER_VISUAL);
  private static final Expression LAST = Observe.textToVisualAttention(2, Rows.LAST);

  private static final float[] PRIOR = {0.4f, 0.2f, 0.1f, 0.1f};
  private static final float[] ASKED = {0.3f, 0.1f, 0.3f, 0.1f};

  @Test
  void readsTheLayerBeforeTheSplit() {
    SitePlan plan = Models.onlySite(Strategies.parse("priortr"));
    assertThat(plan.site()).isEqualTo(new Site.BeforeLayer(3));
    assertThat(plan.needs()).containsExactlyInAnyOrder(TEXT, LAST);
    assertThat(plan.positions()).isEqualTo(PositionPolicy.ORIGINAL);
    assertThat(Models.onlySite(Strategies.parse("priortr:query=last")).needs())
        .containsExactlyInAnyOrder(FIRST, LAST);
  }

  /**
   * Shares of the prior 1/2, 1/4, 1/8 and 1/8, of the last token 3/8, 1/8, 3/8 and 1/8: scores 3/8
   * ln 3/4, 1/8 ln 1/2, 3/8 ln 3 and 0.
   */
  @Test
  void lastTokenAgainstThePrior() {
    Selection selection = last(2);
    assertThat(selection.scores()[0]).isCloseTo(-0.107881f, within(1e-6f));
    assertThat(selection.scores()[1]).isCloseTo(-0.086643f, within(1e-6f));
    assertThat(selection.scores()[2]).isCloseTo(0.411980f, within(1e-6f));
    assertThat(selection.scores()[3]).isCloseTo(0, within(1e-6f));
    assertThat(selection.keptVisual()).containsExactly(2, 3);
    assertThat(last(3).keptVisual()).containsExactly(1, 2, 3);
  }

  /** The mean of both rows is 0.35, 0.15, 0.2 and 0.1: shares 7/16, 3/16, 1/4 and 1/8. */
  @Test
  void questionAgainstThePrior() {
    float[] rows = new float[8];
    System.arraycopy(PRIOR, 0, rows, 0, 4);
    System.arraycopy(ASKED, 0, rows, 4, 4);
    Selection selection =
        select(
            new PriorTR(3, "question", budget(1)),
            2,
            Map.of(TEXT, new Observation(2, 4, rows), LAST, row(ASKED)));
    assertThat(selection.scores()[0])
        .isCloseTo((float) (7 / 16.0 * Math.log(7 / 8.0)), within(1e-6f));
    assertThat(selection.scores()[1])
        .isCloseTo((float) (3 / 16.0 * Math.log(3 / 4.0)), within(1e-6f));
    assertThat(selection.scores()[2]).isCloseTo((float) (1 / 4.0 * Math.log(2)), within(1e-6f));
    assertThat(selection.keptVisual()).containsExactly(2);
  }

  @Test
  void withoutAQuestionTheLastRowRanks() {
    Observation none = new Observation(0, 4, new float[0]);
    for (int text = 0; text < 2; text++) {
      Observation rows = text == 0 ? none : row(PRIOR);
      Selection selection =
          select(new PriorTR(3, "question", budget(2)), text, Map.of(TEXT, rows, LAST, row(ASKED)));
      assertThat(selection.keptVisual()).containsExactly(0, 2);
      assertThat(selection.notes())
          .containsExactly(
              "no question follows the image, so the last prompt token's attention ranks");
    }
  }

  @Test
  void publishedCount() {
    assertThat(
            new PriorTR(3, "last", new Budget(0.3333, OptionalInt.empty(), Scope.REQUEST))
                .budget()
                .count(576))
        .isEqualTo(192);
  }

  @Test
  void brokenNumbersRankLowestAndSpoilNoSum() {
    float[] prior = {0.4f, 0.2f, Float.NaN, 0.1f};
    float[] asked = {0.1f, Float.POSITIVE_INFINITY, 0.3f, 0.4f};
    Selection selection =
        select(new PriorTR(3, "last", budget(2)), 2, Map.of(FIRST, row(prior), LAST, row(asked)));
    assertThat(selection.keptVisual()).containsExactly(0, 3);
    assertThat(selection.scores()[3]).isCloseTo((float) (0.5 * Math.log(3.5)), within(1e-5f));
  }

  @Test
  void layerPastTheDecoder() {
    assertThatThrownBy(() -> Strategies.parse("priortr:k=32").plan(Models.llava(true)))
        .isInstanceOf(StrategyException.class)
        .hasMessage("strategy 'priortr': layer k=32, but the decoder has 32 layers; choose 1..31");
  }

  /** The scores are the terms of a divergence, so their sum is not below 0. */
  @Property
  void scoresAreTermsOfADivergence(
      @ForAll @Size(20) List<@FloatRange(min = 0.01f, max = 1) Float> prior,
      @ForAll @Size(20) List<@FloatRange(min = 0.01f, max = 1) Float> asked) {
    float[] scores =
        select(
                new PriorTR(3, "last", budget(20)),
                2,
                Map.of(FIRST, row(floats(prior)), LAST, row(floats(asked))))
            .scores();
    double sum = 0;
    for (float score : scores) {
      sum += score;
    }
    assertThat(sum).isGreaterThanOrEqualTo(-1e-5);
  }

  private static float[] floats(List<Float> values) {
    float[] floats = new float[values.size()];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = values.get(i);
    }
    return floats;
  }

  private static Selection last(int count) {
    return select(
        new PriorTR(3, "last", budget(count)), 2, Map.of(FIRST, row(PRIOR), LAST, row(ASKED)));
  }

  private static Budget budget(int count) {
    return new Budget(1, OptionalInt.of(count), Scope.REQUEST);
  }

  private static Observation row(float[] values) {
    return new Observation(1, values.length, values);
  }

  /** A prompt of five text tokens, one image, and some text after it. */
  private static Selection select(PriorTR strategy, int text, Map<Expression, Observation> seen) {
    int tokens = seen.get(LAST).columns();
    SitePlan plan = Models.onlySite(strategy);
    TokenLayout layout =
        new TokenLayout(5 + tokens + text, List.of(new VisualSpan(0, 5, tokens, 1, tokens)));
    return plan.decision().select(SiteContext.whole(plan.site(), layout, 0), Observations.of(seen));
  }
}
