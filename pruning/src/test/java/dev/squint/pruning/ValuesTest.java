package dev.squint.pruning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.error.StrategyException;
import dev.squint.pruning.cost.FlopsFormula;
import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.layout.VisualSpan;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observations;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.shape.DecoderShape;
import dev.squint.pruning.shape.VisionShape;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SiteContext;
import dev.squint.pruning.trace.SiteTrace;
import dev.squint.pruning.trace.Speedup;
import dev.squint.pruning.trace.Timings;
import dev.squint.pruning.trace.Trace;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The value types refuse what cannot be, and return copies. */
class ValuesTest {

  @Test
  void selectionIsAscendingUniqueAndFits() {
    assertThatThrownBy(() -> Selection.of(new int[] {1, 1}))
        .isInstanceOf(StrategyException.class)
        .hasMessage("a selection holds ascending unique indices from 0, but 1 follows 1");
    assertThatThrownBy(() -> Selection.of(new int[] {-1}))
        .hasMessage("a selection holds ascending unique indices from 0, but -1 follows -1");
    assertThatThrownBy(() -> new Selection(new int[] {2}, new float[2]))
        .hasMessage("a selection keeps token 2, but only 2 tokens are scored");
    assertThatThrownBy(() -> Selection.of(new int[] {0, 5}).requireFits(5))
        .hasMessage("a selection keeps token 5, but only 5 visual tokens are alive");
    assertThatThrownBy(() -> Selection.top(new float[4], 2).requireFits(5))
        .hasMessage("a selection scores 4 tokens, but 5 visual tokens are alive");
    assertThat(Selection.of(new int[0]).requireFits(0).size()).isZero();
    assertThat(Selection.all(3)).isEqualTo(Selection.of(new int[] {0, 1, 2}));
  }

  @Test
  void arraysAreCopiedInAndOut() {
    int[] kept = {0, 2};
    float[] scores = {3, 1, 2};
    Selection selection = new Selection(kept, scores);
    kept[0] = 1;
    scores[0] = 0;
    selection.keptVisual()[0] = 1;
    selection.scores()[0] = 0;
    assertThat(selection).isEqualTo(new Selection(new int[] {0, 2}, new float[] {3, 1, 2}));

    float[] values = {1, 2, 3, 4};
    Observation observation = new Observation(2, 2, values);
    values[3] = 0;
    observation.values()[3] = 0;
    assertThat(observation.row(1)).containsExactly(3, 4);
  }

  @Test
  void observationHoldsWhatItSays() {
    assertThatThrownBy(() -> new Observation(2, 3, new float[5]))
        .hasMessage("an observation of 2 x 3 cannot hold 5 values");
    assertThatThrownBy(() -> new Observation(1, 2, new float[2]).row(1))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void unaskedObservationIsNamed() {
    Observation seen = new Observation(1, 1, new float[] {1});
    Observations observations = Observations.of(Map.of(Observe.clsAttention(4), seen));
    assertThat(observations.get(Observe.clsAttention(4))).isEqualTo(seen);
    assertThatThrownBy(() -> observations.get(Observe.textToVisualAttention(1, Rows.LAST)))
        .isInstanceOf(StrategyException.class)
        .hasMessage(
            "text-to-visual attention of decoder layer 1 (LAST, heads AVERAGED) was not observed; add it to the needs of the site plan");
    assertThatThrownBy(() -> Observations.none().get(Observe.clsAttention(4)))
        .hasMessage(
            "[CLS] attention of vision layer 4 was not observed; add it to the needs of the site plan");
    assertThatThrownBy(() -> Observe.clsAttention(-1))
        .hasMessage("layer -1 cannot be observed; layers count from 0");
  }

  @Test
  void layoutSpansAreApartAndInside() {
    VisualSpan first = new VisualSpan(0, 2, 4, 2, 2);
    VisualSpan second = new VisualSpan(1, 7, 3, 0, 0);
    TokenLayout layout = new TokenLayout(12, List.of(first, second));
    assertThat(layout.visualTokens()).isEqualTo(7);
    assertThat(layout.visualPositions()).containsExactly(2, 3, 4, 5, 7, 8, 9);
    assertThatThrownBy(() -> new TokenLayout(12, List.of(second, first)))
        .hasMessage("the visual span at 2 begins before position 10, where the one before it ends");
    assertThatThrownBy(() -> new TokenLayout(9, List.of(first, second)))
        .hasMessage("a prompt of 9 tokens cannot hold a visual span that ends at 10");
    assertThatThrownBy(() -> new VisualSpan(0, 2, 4, 2, 3))
        .hasMessage("a grid of 2 x 3 does not hold 4 visual tokens");
    assertThatThrownBy(() -> new VisualSpan(0, 2, 0, 0, 0))
        .hasMessage(
            "a visual span needs an image, a part and a start from 0 and at least one token, not image 0, part 0, start 2, length 0");
  }

  @Test
  void shapesAreWhole() {
    assertThatThrownBy(() -> new DecoderShape(2, 8, 3, 2, 4, 16, 10))
        .hasMessage("3 query heads cannot share 2 key heads evenly");
    assertThatThrownBy(() -> new DecoderShape(2, 8, 2, 2, 4, 16, 0))
        .hasMessage("every size of a decoder shape is at least 1");
    assertThatThrownBy(
            () ->
                VisionShape.builder()
                    .layers(1)
                    .hidden(1)
                    .heads(1)
                    .intermediate(1)
                    .grid(0, 2)
                    .patchDim(1)
                    .cls(true)
                    .projectorHidden(1)
                    .build())
        .hasMessage("every size of a vision shape is at least 1");
    assertThatThrownBy(() -> new Site.BeforeLayer(0))
        .hasMessage("a site before decoder layer 0 does not exist; choose layer 1 or later");
    assertThatThrownBy(
            () ->
                new SiteContext(
                    new Site.AfterVision(),
                    new TokenLayout(1, List.of()),
                    new int[0],
                    0,
                    new SiteContext.Positions(new int[1], new int[0]),
                    0))
        .hasMessage("1 positions do not fit 0 visual tokens");
  }

  @Test
  void traceOfAPrunedRun() {
    SiteTrace site =
        new SiteTrace(
            new Site.BeforeLayer(2), List.of(), 3, 2, new int[] {0, 2}, new float[] {3, 1, 2}, 10);
    Trace trace = trace(site);
    trace.tokensPerLayer()[0] = 0;
    assertThat(trace).isEqualTo(trace(site)).hasSameHashCodeAs(trace(site));
    assertThat(trace.speedup().orElseThrow().prefillMeasuredOverPredicted()).isEqualTo(0.75);
    assertThat(trace.speedup().orElseThrow().decodeMeasuredOverPredicted()).isEqualTo(1.25);
    assertThat(trace.visualPerLayer()).containsExactly(3, 3, 2);
    assertThat(trace.averageVisualTokens()).isEqualTo(8 / 3.0);
    DecoderShape decoder = new DecoderShape(3, 2, 1, 1, 2, 4, 10);
    assertThat(FlopsFormula.PYRAMIDDROP.left(decoder, trace)).isEqualTo(408 / 468.0);
    assertThat(FlopsFormula.FASTERVLM.left(decoder, trace)).isEqualTo(408 / 468.0);
    assertThatThrownBy(
            () ->
                new SiteTrace(
                    new Site.AfterVision(), List.of(), 3, 2, new int[] {0}, new float[0], 0))
        .hasMessage("1 tokens kept and 0 added do not fit 3 before and 2 after");
    assertThatThrownBy(
            () ->
                new SiteTrace(
                    new Site.AfterVision(), List.of(), 3, 1, new int[] {0}, new float[2], 0))
        .hasMessage("2 scores do not fit 3 tokens");
  }

  /**
   * One layer of n tokens at width 2 and feed-forward 4: 16 n + 4 n^2 + 24 n; 156 for 3, 96 for 2.
   */
  private static Trace trace(SiteTrace site) {
    return Trace.of("fastv:k=2,keep=0.5", "tiny")
        .prompt(9, 3)
        .sites(List.of(site))
        .tokensPerLayer(9, 9, 8)
        .visionFlops(1)
        .prefillFlops(2, 3)
        .decodeFlops(4, 5)
        .timings(new Timings(0, 0, 1, 2, 3, 4, 5))
        .kvBytes(6, 7)
        .speedup(Optional.of(new Speedup(1.5, 2, 1.25, 1)))
        .build();
  }

  @Test
  void buildersNameTheSizesOfAShape() {
    DecoderShape.Builder decoder =
        DecoderShape.builder().layers(2).hidden(8).heads(4).intermediate(16).vocabulary(10);
    assertThat(decoder.build()).isEqualTo(new DecoderShape(2, 8, 4, 4, 2, 16, 10));
    assertThat(decoder.kvHeads(2).headDim(3).build())
        .isEqualTo(new DecoderShape(2, 8, 4, 2, 3, 16, 10));
    assertThatThrownBy(() -> decoder.kvHeads(0).build())
        .isInstanceOf(IllegalArgumentException.class);
    VisionShape vision =
        VisionShape.builder()
            .layers(3)
            .hidden(6)
            .heads(2)
            .intermediate(10)
            .grid(2, 5)
            .patchDim(12)
            .cls(true)
            .projectorHidden(7)
            .build();
    assertThat(vision)
        .isEqualTo(new VisionShape(3, 6, 2, 10, 12, true, 2, 5, 1, 7, Set.of(), false));
    assertThat(vision.withGrid(4, 3))
        .isEqualTo(new VisionShape(3, 6, 2, 10, 12, true, 4, 3, 1, 7, Set.of(), false));
    VisionShape windows = vision.toBuilder().windowedLayers(Set.of(0, 2)).build();
    assertThat(windows.lastWholeLayer()).isEqualTo(1);
    assertThat(windows.wholeLayerFrom(0)).isEqualTo(1);
    assertThat(windows.wholeLayerFrom(2)).as("none follows").isEqualTo(2);
    assertThat(windows.withGrid(4, 3).windowedLayers()).containsExactlyInAnyOrder(0, 2);
    assertThatThrownBy(() -> VisionShape.builder().build())
        .hasMessage("every size of a vision shape is at least 1");
  }
}
