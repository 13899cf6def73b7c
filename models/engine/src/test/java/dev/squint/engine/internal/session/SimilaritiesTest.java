package dev.squint.engine.internal.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import dev.squint.engine.OpenTinyLlava;
import dev.squint.engine.TestStrategy;
import dev.squint.engine.TinyLlava;
import dev.squint.engine.internal.ort.Device;
import dev.squint.engine.internal.ort.OrtRuntime;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.engine.internal.prune.PlannedSite;
import dev.squint.engine.internal.prune.SiteDecider;
import dev.squint.engine.internal.prune.TapValues;
import dev.squint.engine.internal.tokens.PositionedTokens;
import dev.squint.engine.internal.vision.TowerValues;
import dev.squint.engine.options.ExecutionProvider;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.engine.request.ModelInput;
import dev.squint.error.ModelException;
import dev.squint.onnx.internal.graph.OnnxGraph;
import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.layout.VisualSpan;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Heads;
import dev.squint.pruning.observe.Measure;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observations;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Stage;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SiteContext;
import dev.squint.pruning.site.SitePlan;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Tokens compared next to the network, against the same comparison made here. */
class SimilaritiesTest {

  private static final Expression FEATURES = Observe.featureSimilarity(Stage.PROJECTED);
  private static final Expression EMBEDDINGS = Observe.hiddenStates(0);

  @RegisterExtension static final OpenTinyLlava TINY = new OpenTinyLlava();

  /** What is seen after vision, where all tokens stay, and before layer 1. */
  private static List<Observations> watch(
      Set<Expression> afterVision, Set<Expression> beforeLayer) {
    List<Observations> seen = new ArrayList<>();
    List<SitePlan> sites =
        List.of(
            watching(new Site.AfterVision(), afterVision, seen),
            watching(new Site.BeforeLayer(1), beforeLayer, seen));
    TINY.model()
        .generate(
            TinyLlava.prompt(),
            new TestStrategy("watching", sites),
            GenerationOptions.builder().maxNewTokens(1).build());
    return seen;
  }

  private static SitePlan watching(Site site, Set<Expression> needs, List<Observations> seen) {
    return new SitePlan(
        site,
        needs,
        PositionPolicy.COMPACTED,
        (context, observations) -> {
          seen.add(observations);
          return Selection.all(context.visualTokens());
        });
  }

  @Test
  void featuresOfOneImage() {
    List<Observations> seen = watch(Set.of(FEATURES), Set.of(EMBEDDINGS));
    float[] expected =
        compared(seen.get(1).get(EMBEDDINGS), seen.get(1).get(EMBEDDINGS), Measure.COSINE);
    Observation cosines = seen.get(0).get(FEATURES);
    assertThat(cosines.columns()).isEqualTo(TinyLlava.VISUAL);
    assertThat(cosines.values()).containsExactly(expected, offset(1e-5f));
  }

  @ParameterizedTest
  @EnumSource
  void embeddingsOfQuestionAndImage(Measure measure) {
    Expression need = Observe.embeddingSimilarity(measure);
    List<Observations> seen = watch(Set.of(need), Set.of(need, EMBEDDINGS));
    Observation visual = seen.get(1).get(EMBEDDINGS);
    Observation text = textAfterTheImage();
    float[] expected = compared(text, visual, measure);
    for (Observations at : seen) {
      assertThat(at.get(need).rows()).isEqualTo(text.rows());
      assertThat(at.get(need).columns()).isEqualTo(TinyLlava.VISUAL);
      assertThat(at.get(need).values()).containsExactly(expected, offset(1e-5f));
    }
  }

  private static SessionFactory sessions() {
    OrtRuntime runtime = OrtRuntime.get(1);
    Device cpu = Device.resolve(new ExecutionProvider.Cpu(), runtime);
    return new SessionFactory(runtime, cpu, 1, new AtomicInteger());
  }

  private static Observation textAfterTheImage() {
    ModelInput prompt = TinyLlava.prompt();
    int after = prompt.layout().visual().get(0).end();
    long[] ids = Arrays.copyOfRange(prompt.tokenIds(), after, prompt.layout().length());
    SessionFactory sessions = sessions();
    Path file = TinyLlava.folder().resolve("onnx/embed_tokens.onnx");
    int width = TINY.model().facts().decoder().hidden();
    try (Embedder embedder = new Embedder(sessions, OnnxGraph.read(file), width);
        TensorScope scope = sessions.scope()) {
      FloatBuffer values = embedder.embed(scope, ids).getFloatBuffer();
      float[] all = new float[values.remaining()];
      values.get(all);
      return new Observation(ids.length, width, all);
    }
  }

  @Test
  void tilesAreComparedEachForItself() {
    TokenLayout layout =
        new TokenLayout(
            9, List.of(new VisualSpan(0, 0, 1, 3, 1, 3), new VisualSpan(0, 1, 5, 2, 1, 2)));
    SiteContext context = SiteContext.whole(new Site.AfterVision(), layout, 0);
    float[] features = {1, 0, 0, 2, -3, 0, 0, 0, 3, 4};
    SessionFactory sessions = sessions();
    try (SideGraphs graphs = new SideGraphs(sessions, 2);
        TensorScope scope = sessions.scope()) {
      Observation cosines =
          graphs.observe(
              scope,
              FEATURES,
              leaf ->
                  new SideGraphs.Found(
                      scope.floats(FloatBuffer.wrap(features), 5, 2), new int[] {0, 1, 2, 3, 4}),
              rows -> 5,
              context);
      assertThat(cosines.rows()).isEqualTo(5);
      assertThat(cosines.values())
          .containsExactly(
              new float[] {1, 0, -1, 0, 1, 0, -1, 0, 1, 0, 0, 0, 0, 1, 0}, offset(1e-6f));
    }
    assertThat(sessions.aliveTensors()).hasValue(0);
  }

  @Test
  void keysOfTwoImagesInOneTileAreRefused() {
    Expression need = Observe.keySimilarity(1, Heads.EACH);
    Observation cosines = new Observation(4, 2, new float[] {1, 0, 0, 1, 1, .5f, .5f, 1});
    SitePlan site = watching(new Site.AfterVision(), Set.of(need), new ArrayList<>());
    TokenLayout joined = new TokenLayout(6, List.of(new VisualSpan(0, 0, 1, 4, 2, 2)));
    assertThatThrownBy(() -> decide(site, joined, cosines))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("compares the 2 patches of one image")
        .hasMessageContaining("a tile of 4 visual tokens");
    VisualSpan one = new VisualSpan(0, 0, 1, 2, 1, 2);
    VisualSpan other = new VisualSpan(0, 1, 3, 2, 1, 2);
    decide(site, new TokenLayout(6, List.of(one, other)), cosines);
  }

  private static void decide(SitePlan site, TokenLayout layout, Observation keys) {
    String need = Observe.keySimilarity(1, Heads.EACH).canonical();
    TowerValues seen = TowerValues.of(new int[] {2, 2, 2}, keys.values());
    new SiteDecider("watching", layout, 0, Map.of(need, seen))
        .decide(
            new PlannedSite(site),
            PositionedTokens.of(layout, 1),
            TapValues.NONE,
            (request, context) -> {
              throw new IllegalStateException();
            });
  }

  @Test
  void featuresAreNoLongerThereInTheDecoder() {
    assertThatThrownBy(() -> watch(Set.of(), Set.of(FEATURES)))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining(
            "it wants the similarity of PROJECTED features at before-layer(1), but that is observed before the decoder only");
  }

  private static float[] compared(Observation first, Observation second, Measure measure) {
    float[] values = new float[first.rows() * second.rows()];
    for (int i = 0; i < first.rows(); i++) {
      for (int j = 0; j < second.rows(); j++) {
        double scale =
            measure == Measure.DOT
                ? 1
                : Math.sqrt(dot(first.row(i), first.row(i)) * dot(second.row(j), second.row(j)));
        values[i * second.rows() + j] = (float) (dot(first.row(i), second.row(j)) / scale);
      }
    }
    return values;
  }

  private static double dot(float[] one, float[] other) {
    double sum = 0;
    for (int i = 0; i < one.length; i++) {
      sum += (double) one[i] * other[i];
    }
    return sum;
  }
}
