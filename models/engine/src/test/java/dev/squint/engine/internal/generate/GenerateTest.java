package dev.squint.engine.internal.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import com.fasterxml.jackson.databind.JsonNode;
import dev.squint.engine.OpenTinyLlava;
import dev.squint.engine.TestStrategy;
import dev.squint.engine.TinyLlava;
import dev.squint.engine.request.Generation;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.pruning.cost.FlopsModel;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.site.MergedToken;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.trace.SiteTrace;
import dev.squint.pruning.trace.Trace;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The engine against PyTorch, and against itself where nothing is dropped. */
@Tag("runtime")
class GenerateTest {

  private static final int[] ALL = IntStream.range(0, TinyLlava.VISUAL).toArray();
  private static final int BYTES_PER_TOKEN_AND_LAYER = 2 * 2 * 8 * Float.BYTES;

  @RegisterExtension static final OpenTinyLlava TINY = new OpenTinyLlava();

  private static Generation generate(TestStrategy strategy) {
    return TINY.model().generate(TinyLlava.prompt(), strategy, TinyLlava.sixTokens());
  }

  @Test
  void unprunedLogitsAreThoseOfPyTorch() {
    assertThat(generate(TestStrategy.none()).firstLogits())
        .containsExactly(TinyLlava.floats(TinyLlava.reference().path("unpruned")), offset(1e-4f));
  }

  static Stream<JsonNode> dropped() {
    List<JsonNode> cases = new ArrayList<>();
    TinyLlava.reference().path("dropped").forEach(cases::add);
    return cases.stream();
  }

  @ParameterizedTest
  @MethodSource("dropped")
  void droppingTokensGivesWhatPyTorchGives(JsonNode expected) {
    PositionPolicy positions =
        expected.path("compacted").asBoolean() ? PositionPolicy.COMPACTED : PositionPolicy.ORIGINAL;
    int[] kept = TinyLlava.ints(expected.path("keptVisual"));
    Generation answer =
        generate(TestStrategy.fixed(expected.path("layer").asInt(), positions, kept));
    assertThat(answer.firstLogits())
        .containsExactly(TinyLlava.floats(expected.path("logits")), offset(1e-4f));
    assertThat(answer.tokens()).containsExactly(TinyLlava.longs(expected.path("greedy")));
    assertThat(answer.trace().sites().get(0).keptOriginal()).containsExactly(kept);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void observedTextAttentionIsThatOfPyTorch(int layer) {
    SiteTrace site = generate(TestStrategy.fastV(layer, 5)).trace().sites().get(0);
    float[] expected = TinyLlava.floats(TinyLlava.reference().path("textAttention").get(layer - 1));
    assertThat(site.scores()).containsExactly(expected, offset(1e-5f));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void observedClsAttentionIsThatOfPyTorch(int layer) {
    SiteTrace site = generate(TestStrategy.byCls(layer, 5)).trace().sites().get(0);
    float[] expected = TinyLlava.floats(TinyLlava.reference().path("clsAttention").get(layer));
    assertThat(site.scores()).containsExactly(expected, offset(1e-5f));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void keepingAllEqualsUnpruned(int layer) {
    Generation whole = generate(TestStrategy.none());
    Generation kept = generate(TestStrategy.fastV(layer, TinyLlava.VISUAL));
    assertThat(kept.tokens()).containsExactly(whole.tokens());
    assertThat(kept.firstLogits()).containsExactly(whole.firstLogits(), offset(1e-5f));
    assertThat(kept.trace().kvBytes())
        .isEqualTo(whole.trace().kvBytes())
        .isEqualTo(kept.trace().unprunedKvBytes());
  }

  @Test
  void cacheLengthsDifferPerSegment() {
    SitePlan first =
        TestStrategy.topBy(
            new Site.BeforeLayer(1), Observe.textToVisualAttention(0, Rows.LAST), 10);
    SitePlan second =
        TestStrategy.topBy(new Site.BeforeLayer(3), Observe.textToVisualAttention(2, Rows.LAST), 4);
    Trace trace = generate(new TestStrategy("two", List.of(first, second))).trace();
    assertThat(trace.tokensPerLayer()).containsExactly(23, 17, 17, 11);
    int steps = 5;
    assertThat(trace.kvBytes())
        .isEqualTo((23L + 17 + 17 + 11 + 4L * steps) * BYTES_PER_TOKEN_AND_LAYER);
    assertThat(trace.unprunedKvBytes()).isEqualTo(4L * (23 + steps) * BYTES_PER_TOKEN_AND_LAYER);
    assertThat(trace.sites()).extracting(SiteTrace::before).containsExactly(16, 10);
    assertThat(trace.sites()).extracting(SiteTrace::after).containsExactly(10, 4);
    assertThat(trace.sites().get(0).keptOriginal()).contains(trace.sites().get(1).keptOriginal());
    assertThat(trace.prefillFlops()).isLessThan(trace.unprunedPrefillFlops());
    assertThat(trace.decodeFlops()).isLessThan(trace.unprunedDecodeFlops());
  }

  @Test
  void clsAttentionMayBeUsedInsideTheDecoderForTheTokensStillAlive() {
    Expression cls = Observe.clsAttention(1);
    Trace trace =
        generate(
                new TestStrategy(
                    "both",
                    List.of(
                        TestStrategy.topBy(new Site.AfterVision(), cls, 8),
                        TestStrategy.topBy(new Site.BeforeLayer(2), cls, 3))))
            .trace();
    float[] all = TinyLlava.floats(TinyLlava.reference().path("clsAttention").get(1));
    int[] alive = trace.sites().get(0).keptOriginal();
    float[] expected = new float[alive.length];
    for (int i = 0; i < alive.length; i++) {
      expected[i] = all[alive[i]];
    }
    assertThat(trace.sites().get(1).scores()).containsExactly(expected, offset(1e-5f));
  }

  @Test
  void allVisualTokensMayLeave() {
    assertThat(generate(TestStrategy.fixed(2, PositionPolicy.ORIGINAL)).trace().tokensPerLayer())
        .containsExactly(23, 23, 7, 7);
    assertThat(generate(TestStrategy.fixed(0, PositionPolicy.COMPACTED)).trace().tokensPerLayer())
        .containsExactly(7, 7, 7, 7);
  }

  @Test
  void aPromptWithoutImageIsAnsweredAndSaysSo() {
    Generation answer =
        TINY.model()
            .generate(
                TinyLlava.textPrompt(9),
                TestStrategy.fastV(2, 4),
                GenerationOptions.builder().maxNewTokens(64).build());
    assertThat(answer.trace().sites()).isEmpty();
    assertThat(answer.trace().visionFlops()).isZero();
    assertThat(answer.trace().notes()).containsExactly("no image in the prompt: nothing to prune");
  }

  @Test
  void generationEndsWithTheContext() {
    Generation answer =
        TINY.model()
            .generate(
                TinyLlava.textPrompt(93),
                TestStrategy.none(),
                GenerationOptions.builder().maxNewTokens(50).build());
    assertThat(answer.tokens().length).isLessThanOrEqualTo(3);
    assertThat(answer.firstLogits()).isEmpty();
  }

  @Test
  void speedupIsMeasuredOnDemand() {
    Generation answer =
        TINY.model()
            .generate(
                TinyLlava.prompt(),
                TestStrategy.fastV(1, 2),
                GenerationOptions.builder().maxNewTokens(4).measureSpeedup(true).build());
    assertThat(answer.trace().speedup())
        .get()
        .satisfies(
            speedup -> {
              assertThat(speedup.prefillMeasured()).isPositive();
              assertThat(speedup.decodeMeasured()).isPositive();
              assertThat(speedup.prefillPredicted()).isGreaterThan(1);
              assertThat(speedup.decodePredicted()).isGreaterThan(1);
            });
    assertThat(generate(TestStrategy.none()).trace().speedup()).isEqualTo(Optional.empty());
  }

  @Test
  void theRunThatWasSlowedDownIsTheSlowOne() {
    Duration decision = Duration.ofMillis(150);
    Trace trace =
        TINY.model()
            .generate(
                TinyLlava.prompt(),
                TestStrategy.slow(decision),
                GenerationOptions.builder().maxNewTokens(4).measureSpeedup(true).build())
            .trace();
    assertThat(trace.speedup().orElseThrow().prefillMeasured()).isLessThan(0.7);
    assertThat(trace.timings().selectionNanos()).isGreaterThanOrEqualTo(decision.toNanos());
    assertThat(trace.timings().prefillNanos())
        .isGreaterThanOrEqualTo(trace.timings().selectionNanos())
        .isGreaterThan(trace.timings().visionNanos())
        .isGreaterThan(trace.timings().decodeNanos());
  }

  @Test
  void aSpeedupIsTheUnprunedMedianOverThePrunedOne() {
    SpeedupMeter.Pairs pairs =
        new SpeedupMeter.Pairs(
            List.of(times(900, 30), times(600, 10), times(60, 20)),
            List.of(times(100, 5), times(9000, 1), times(200, 50)));
    assertThat(pairs.prefillSpeedup()).isEqualTo(600.0 / 200);
    assertThat(pairs.decodeSpeedup()).isEqualTo(20.0 / 5);
  }

  private static SpeedupMeter.Times times(long prefill, long decode) {
    return new SpeedupMeter.Times(prefill, decode);
  }

  @Test
  void manyThreadsGetTheAnswersOfOne() throws Exception {
    List<TestStrategy> strategies =
        List.of(
            TestStrategy.none(),
            TestStrategy.fastV(1, 4),
            TestStrategy.fastV(2, 4),
            TestStrategy.fastV(3, 4),
            TestStrategy.byCls(1, 4),
            TestStrategy.fixed(2, PositionPolicy.COMPACTED, ALL),
            TestStrategy.fixed(1, PositionPolicy.ORIGINAL, 1, 2));
    List<Generation> expected = strategies.stream().map(GenerateTest::generate).toList();
    ExecutorService pool = Executors.newFixedThreadPool(4);
    try {
      List<Callable<Generation>> calls = new ArrayList<>();
      for (int i = 0; i < 2 * strategies.size(); i++) {
        TestStrategy strategy = strategies.get(i % strategies.size());
        calls.add(() -> generate(strategy));
      }
      List<Future<Generation>> answers = pool.invokeAll(calls);
      for (int i = 0; i < answers.size(); i++) {
        Generation alone = expected.get(i % strategies.size());
        assertThat(answers.get(i).get().tokens()).containsExactly(alone.tokens());
        assertThat(answers.get(i).get().firstLogits())
            .containsExactly(alone.firstLogits(), offset(1e-5f));
      }
    } finally {
      pool.shutdownNow();
    }
    assertThat(TINY.model().cachedSplits()).isLessThanOrEqualTo(TINY.model().maxCachedSplits());
  }

  /** A token made of itself alone is itself; one made of two is neither. */
  @Test
  void mergedTokensTakeTheirPlace() {
    Generation kept = generate(merging(Selection.of(new int[] {2, 5})));
    Generation same =
        generate(
            merging(Selection.of(new int[] {2, 5}).withMerged(List.of(MergedToken.mean(5, 5)))));
    assertThat(same.firstLogits()).containsExactly(kept.firstLogits(), offset(1e-6f));
    Generation added =
        generate(
            merging(
                Selection.of(new int[] {2})
                    .withMerged(
                        List.of(new MergedToken(5, new int[] {2, 5}, new float[] {0, 1})))));
    assertThat(added.firstLogits()).containsExactly(kept.firstLogits(), offset(1e-6f));
    assertThat(added.tokens()).containsExactly(kept.tokens());
    SiteTrace site = added.trace().sites().get(0);
    assertThat(site.keptOriginal()).containsExactly(2);
    assertThat(site.addedOriginal()).containsExactly(5);
    assertThat(site.after()).isEqualTo(2);
    Generation mixed =
        generate(
            merging(Selection.of(new int[] {2, 5}).withMerged(List.of(MergedToken.mean(5, 5, 9)))));
    assertThat(mixed.firstLogits()).isNotEqualTo(kept.firstLogits());
    assertThat(TINY.model().openTensors()).isZero();
  }

  /** Features merged before the decoder are what their weighted sum is. */
  @Test
  void mergedFeaturesEnterTheDecoder() {
    MergedToken mixed = new MergedToken(5, new int[] {5, 9, 1}, new float[] {0.5f, 0.3f, 0.2f});
    MergedToken added = new MergedToken(7, new int[] {8}, new float[] {2});
    Selection kept = Selection.of(new int[] {1, 5, 8, 9});
    Observation plain = embeddings(kept);
    Observation merged = embeddings(kept.withMerged(List.of(added, mixed)));
    assertThat(merged.rows()).isEqualTo(5);
    assertThat(merged.row(0)).containsExactly(plain.row(0));
    assertThat(merged.row(2)).containsExactly(plain.row(2));
    assertThat(merged.row(3)).containsExactly(plain.row(3));
    for (int i = 0; i < plain.columns(); i++) {
      float sum = 0.5f * plain.at(1, i) + 0.3f * plain.at(3, i) + 0.2f * plain.at(0, i);
      assertThat(merged.at(1, i)).isEqualTo(sum, offset(1e-6f));
      assertThat(merged.at(4, i)).isEqualTo(2 * plain.at(2, i), offset(1e-6f));
    }
  }

  private static Observation embeddings(Selection selection) {
    Expression need = Observe.hiddenStates(0);
    List<Observation> seen = new ArrayList<>();
    generate(
        new TestStrategy(
            "merging",
            List.of(
                merging(new Site.AfterVision(), selection),
                new SitePlan(
                    new Site.BeforeLayer(1),
                    Set.of(need),
                    PositionPolicy.COMPACTED,
                    (context, observations) -> {
                      seen.add(observations.get(need));
                      return Selection.all(context.visualTokens());
                    }))));
    return seen.get(0);
  }

  private static TestStrategy merging(Selection selection) {
    return new TestStrategy("merging", List.of(merging(new Site.BeforeLayer(2), selection)));
  }

  private static SitePlan merging(Site site, Selection selection) {
    return new SitePlan(
        site, Set.of(), PositionPolicy.COMPACTED, true, (context, observations) -> selection);
  }

  /** The attention of layer 2 seen ahead of it, and what the layer itself then does. */
  @Test
  void attentionAheadOfALayerIsThatOfTheLayer() {
    Expression need = Observe.textToVisualAttention(2, Rows.LAST);
    List<Observation> seen = new ArrayList<>();
    Generation whole = generate(watching(2, need, seen));
    Generation after = generate(watching(3, need, seen));
    assertThat(seen.get(0).values()).containsExactly(seen.get(1).values(), offset(1e-6f));
    assertThat(whole.tokens()).containsExactly(after.tokens());
    long lookahead =
        FlopsModel.lookahead(TINY.model().facts().decoder(), TinyLlava.prompt().layout().length());
    assertThat(whole.trace().prefillFlops() - after.trace().prefillFlops()).isEqualTo(lookahead);
  }

  private static TestStrategy watching(int layer, Expression need, List<Observation> seen) {
    SitePlan site =
        new SitePlan(
            new Site.BeforeLayer(layer),
            Set.of(need),
            PositionPolicy.ORIGINAL,
            (context, observations) -> {
              seen.add(observations.get(need));
              return Selection.all(context.visualTokens());
            });
    return new TestStrategy("watching", List.of(site));
  }

  @Test
  void aSiteAfterTheLastVisualTokenHasNothingToChoose() {
    List<SitePlan> sites = new ArrayList<>(TestStrategy.fixed(1, PositionPolicy.ORIGINAL).sites());
    sites.addAll(TestStrategy.fastV(3, 4).sites());
    Generation made = generate(new TestStrategy("emptying", sites));
    assertThat(made.trace().sites()).hasSize(1);
    assertThat(made.trace().sites().get(0).after()).isZero();
    assertThat(made.trace().notes())
        .contains("before-layer(3): no visual token was there to choose from");
  }
}
