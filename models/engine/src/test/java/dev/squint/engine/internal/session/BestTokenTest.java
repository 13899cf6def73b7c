package dev.squint.engine.internal.session;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnxruntime.OnnxTensor;
import dev.squint.engine.internal.generate.SegmentState;
import dev.squint.engine.internal.ort.Device;
import dev.squint.engine.internal.ort.ModelSession;
import dev.squint.engine.internal.ort.OrtRuntime;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.engine.internal.tokens.MergeMatrix;
import dev.squint.engine.internal.tokens.RotaryPositions;
import dev.squint.engine.options.ExecutionProvider;
import dev.squint.fixtures.ExportFixture;
import dev.squint.onnx.config.ModelConfig;
import dev.squint.onnx.internal.decoder.DecoderGraph;
import dev.squint.onnx.internal.decoder.SegmentSpec;
import dev.squint.onnx.internal.graph.GraphNodes;
import dev.squint.onnx.internal.graph.OnnxGraph;
import dev.squint.onnx.internal.graph.StandaloneModel;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The token that the graph picks is the first of the best scores that it gives. */
class BestTokenTest {

  private final OrtRuntime runtime = OrtRuntime.get(1);
  private final SessionFactory sessions =
      new SessionFactory(
          runtime, Device.resolve(new ExecutionProvider.Cpu(), runtime), 1, new AtomicInteger());

  static Stream<ExportFixture> decoders() {
    return ExportFixture.share("decoder", 0, 3);
  }

  @AfterEach
  void nothingIsLeftOpen() {
    assertThat(sessions.aliveTensors()).hasValue(0);
  }

  @ParameterizedTest
  @MethodSource("decoders")
  void isTheBestOfTheScoresInPrefillAndInSteps(ExportFixture export) {
    DecoderGraph decoder = new DecoderGraph(OnnxGraph.read(export.graph()));
    try (SplitDecoder whole =
        new SplitDecoder(sessions, decoder, List.of(SegmentSpec.of(0, export.size("layers"))))) {
      List<Integer> expected = new ArrayList<>();
      for (float[] scores : run(whole, export, true)) {
        expected.add(first(scores));
      }
      List<Integer> picked = new ArrayList<>();
      for (float[] token : run(whole, export, false)) {
        picked.add((int) token[0]);
      }
      assertThat(picked).isEqualTo(expected);
    }
  }

  private static int first(float[] scores) {
    int best = 0;
    for (int i = 1; i < scores.length; i++) {
      best = scores[i] > scores[best] ? i : best;
    }
    return best;
  }

  /** Runs the prompt and three steps, each with scores or with the one token. */
  private List<float[]> run(SplitDecoder whole, ExportFixture export, boolean scores) {
    int hidden = export.size("hidden");
    ModelConfig.Text sizes =
        new ModelConfig.Text(
            export.size("layers"),
            hidden,
            export.size("heads"),
            export.size("kvHeads"),
            export.size("headDim"),
            1,
            export.size("vocabulary"),
            10_000);
    RotaryPositions prompt = UnsplitRun.positions(export, "positions");
    RotaryPositions steps = UnsplitRun.positions(export, "decodePositions");
    List<float[]> found = new ArrayList<>();
    try (TensorScope scope = sessions.scope();
        SegmentState state = new SegmentState(whole.list().get(0), sizes, scope.newScope())) {
      state.wantScores(scores);
      for (int step = 0; step <= 3; step++) {
        float[] embeds =
            step == 0
                ? export.array("embeds")
                : ExportFixture.row(export.array("decodeEmbeds"), step - 1, hidden);
        int rows = embeds.length / hidden;
        try (TensorScope pass = scope.newScope()) {
          OnnxTensor last =
              state
                  .run(
                      pass,
                      new SegmentState.Input(
                          List.of(UnsplitRun.embeds(pass, embeds, hidden)),
                          step == 0 ? prompt : steps.gathered(new int[] {step - 1}),
                          new long[rows],
                          IntStream.range(0, rows).toArray(),
                          MergeMatrix.NONE,
                          Optional.empty()))
                  .hidden()
                  .get(0);
          found.add(
              scores ? UnsplitRun.lastRow(last, export) : new float[] {TensorScope.lastLong(last)});
        }
      }
    }
    return found;
  }

  @Test
  void isTheSmallestAmongEqualsAndNoneWhereScoresAreNoNumbers() {
    int vocabulary = 1003;
    Random random = new Random(3);
    List<float[]> rows = new ArrayList<>();
    for (int row = 0; row < 200; row++) {
      float[] scores = new float[vocabulary];
      for (int i = 0; i < vocabulary; i++) {
        scores[i] = random.nextInt(row % 20 + 1);
      }
      rows.add(scores);
    }
    float[] never = new float[vocabulary];
    Arrays.fill(never, Float.NEGATIVE_INFINITY);
    never[7] = -3;
    rows.add(never);
    float[] damaged = new float[vocabulary];
    damaged[500] = Float.NaN;
    try (ModelSession session = sessions.open(graph(), Path.of(""), "the picking of a token");
        TensorScope scope = sessions.scope()) {
      for (float[] scores : rows) {
        assertThat(best(session, scope, scores)).isEqualTo(first(scores));
      }
      assertThat(best(session, scope, damaged)).isEqualTo(-1);
    }
  }

  private static byte[] graph() {
    GraphProto.Builder graph =
        GraphProto.newBuilder()
            .setName("best")
            .addInput(GraphNodes.value(DecoderGraph.LOGITS, GraphNodes.FLOAT, 1L, 1L, "tokens"))
            .addOutput(GraphNodes.shapeless(DecoderGraph.BEST_TOKEN, GraphNodes.INT64));
    new GraphNodes(graph, StandaloneModel.OPSET)
        .bestOf(DecoderGraph.LOGITS, DecoderGraph.BEST_TOKEN);
    return StandaloneModel.bytes(graph);
  }

  private static long best(ModelSession session, TensorScope scope, float[] scores) {
    OnnxTensor logits = scope.floats(FloatBuffer.wrap(scores), 1, 1, scores.length);
    return TensorScope.lastLong(
        session
            .run(scope, Map.of(DecoderGraph.LOGITS, logits), Set.of(DecoderGraph.BEST_TOKEN))
            .get(DecoderGraph.BEST_TOKEN));
  }
}
