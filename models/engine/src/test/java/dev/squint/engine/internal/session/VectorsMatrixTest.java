package dev.squint.engine.internal.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import ai.onnxruntime.OnnxTensor;
import dev.squint.engine.WholeFile;
import dev.squint.engine.internal.generate.ChosenRows;
import dev.squint.engine.internal.generate.SegmentState;
import dev.squint.engine.internal.ort.Device;
import dev.squint.engine.internal.ort.ModelSession;
import dev.squint.engine.internal.ort.OrtRuntime;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.engine.internal.tokens.MergeMatrix;
import dev.squint.engine.options.ExecutionProvider;
import dev.squint.fixtures.ExportFixture;
import dev.squint.onnx.config.ModelConfig;
import dev.squint.onnx.internal.decoder.DecoderGraph;
import dev.squint.onnx.internal.decoder.Seam;
import dev.squint.onnx.internal.decoder.SegmentSpec;
import dev.squint.onnx.internal.graph.OnnxGraph;
import dev.squint.onnx.internal.observe.TapNames;
import dev.squint.onnx.internal.vision.VisionGraph;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Place;
import dev.squint.pruning.observe.Rows;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Queries and values of every export, which no strategy here looks at. */
class VectorsMatrixTest {

  private static final int LAYER = 1;

  private final OrtRuntime runtime = OrtRuntime.get(1);
  private final SessionFactory sessions =
      new SessionFactory(
          runtime, Device.resolve(new ExecutionProvider.Cpu(), runtime), 1, new AtomicInteger());

  static Stream<ExportFixture> decoders() {
    return ExportFixture.share("decoder", 0, 5).filter(ExportFixture::hasReference);
  }

  static Stream<ExportFixture> towers() {
    return ExportFixture.all("vision").stream().filter(export -> export.name().contains("clip"));
  }

  @AfterEach
  void nothingIsLeftOpen() {
    assertThat(sessions.aliveTensors()).hasValue(0);
  }

  /** Values are those that the export caches; queries give the attention that it pays. */
  @ParameterizedTest
  @MethodSource("decoders")
  void valuesAndQueriesOfADecoderLayer(ExportFixture export) {
    Place layer = Place.decoder(LAYER);
    Expression values = layer.v(Rows.VISUAL);
    Expression scores = layer.q(Rows.TEXT).dot(layer.k(Rows.VISUAL));
    Map<String, float[]> seen = observed(export, false, List.of(values, scores));
    int tokens = export.size("tokens");
    int start = export.size("visualStart");
    int visual = export.size("visualLength");
    int width = export.size("headDim");
    float[] cached = cached(export);
    float[] expected = new float[export.size("kvHeads") * visual * width];
    for (int head = 0; head < export.size("kvHeads"); head++) {
      System.arraycopy(
          cached, (head * tokens + start) * width, expected, head * visual * width, visual * width);
    }
    assertThat(seen.get(TapNames.output(values)))
        .containsExactly(expected, offset(export.within(1e-4f)));
    if (!export.name().contains("gemma2")) { // it caps its scores
      requireSoftmaxOf(export, seen.get(TapNames.output(scores)));
    }
    Map<String, float[]> ahead = observed(export, true, List.of(values, scores));
    seen.forEach(
        (name, numbers) ->
            assertThat(ahead.get(name)).containsExactly(numbers, offset(export.within(1e-3f) * 5)));
  }

  /** Ratios of probabilities tell differences of scores, up to the scale. */
  private static void requireSoftmaxOf(ExportFixture export, float[] scores) {
    int tokens = export.size("tokens");
    int start = export.size("visualStart");
    int visual = export.size("visualLength");
    float[] map = export.array("attention." + LAYER);
    double[] told = new double[scores.length];
    double[] seen = new double[scores.length];
    double product = 0;
    double squares = 0;
    for (int head = 0; head < export.size("heads"); head++) {
      for (int i = 0; i < visual; i++) {
        int row = (head * tokens + tokens - 1) * tokens + start;
        int at = head * visual + i;
        int last = head * visual + visual - 1;
        if (map[row + i] > 0) { // else a window hides it
          told[at] = Math.log(map[row + i]) - Math.log(map[row + visual - 1]);
          seen[at] = scores[at] - scores[last];
        }
        product += told[at] * seen[at];
        squares += seen[at] * seen[at];
      }
    }
    double scale = product / squares;
    assertThat(scale).isPositive();
    for (int i = 0; i < told.length; i++) {
      assertThat(scale * seen[i]).isCloseTo(told[i], offset((double) export.within(1e-3f) * 5));
    }
  }

  private float[] cached(ExportFixture export) {
    String present = DecoderGraph.present(LAYER, false);
    try (ModelSession whole = WholeFile.open(sessions, export.graph());
        TensorScope scope = sessions.scope()) {
      UnsplitRun run = new UnsplitRun(whole, export, sessions);
      return UnsplitRun.floats(whole.run(scope, run.prompt(scope), Set.of(present)).get(present));
    }
  }

  /** In the segment that runs the layer, or ahead of it. */
  private Map<String, float[]> observed(
      ExportFixture export, boolean ahead, List<Expression> taps) {
    DecoderGraph decoder = new DecoderGraph(OnnxGraph.read(export.graph()));
    int tokens = export.size("tokens");
    int start = export.size("visualStart");
    int end = start + export.size("visualLength");
    ChosenRows rows =
        new ChosenRows(new int[] {tokens - 1}, IntStream.range(start, end).toArray(), new int[0]);
    ModelConfig.Text sizes =
        new ModelConfig.Text(
            export.size("layers"),
            export.size("hidden"),
            export.size("heads"),
            export.size("kvHeads"),
            export.size("headDim"),
            1,
            export.size("vocabulary"),
            10_000);
    int[] all = IntStream.range(0, tokens).toArray();
    long[] types = IntStream.of(all).mapToLong(row -> row >= start && row < end ? 1 : 0).toArray();
    List<SegmentSpec> specs =
        ahead
            ? List.of(SegmentSpec.of(0, LAYER), SegmentSpec.lookahead(LAYER, taps, false))
            : List.of(new SegmentSpec(0, LAYER + 1, Seam.NONE, false, taps));
    Map<String, float[]> seen = new HashMap<>();
    try (SplitDecoder open = new SplitDecoder(sessions, decoder, specs);
        TensorScope scope = sessions.scope()) {
      List<OnnxTensor> flow =
          List.of(UnsplitRun.embeds(scope, export.array("embeds"), export.size("hidden")));
      List<SplitDecoder.Segment> parts = new ArrayList<>(open.list());
      open.lookahead(LAYER).ifPresent(parts::add);
      for (SplitDecoder.Segment part : parts) {
        try (SegmentState state = new SegmentState(part, sizes, scope.newScope())) {
          SegmentState.Output out =
              state.run(
                  scope,
                  new SegmentState.Input(
                      flow,
                      UnsplitRun.positions(export, "positions"),
                      types,
                      all,
                      MergeMatrix.NONE,
                      Optional.of(rows)));
          flow = out.hidden();
          out.taps().forEach((name, tensor) -> seen.put(name, UnsplitRun.floats(tensor)));
        }
      }
    }
    return seen;
  }

  /** Exports of one tower agree, and values are what one of them names so. */
  @ParameterizedTest
  @MethodSource("towers")
  void vectorsOfAVisionLayer(ExportFixture export) throws IOException {
    ExportFixture named = ExportFixture.named("vision-clip-ts-eager-14");
    boolean same =
        export.hasReference()
            && Arrays.equals(export.array("pixels"), named.array("pixels"))
            && Arrays.equals(export.array("features"), named.array("features"));
    assumeTrue(same);
    Place layer = Place.vision(LAYER);
    Expression values = layer.v(Rows.ALL).joinHeads();
    Expression hidden = layer.hidden(Rows.VISUAL);
    Expression neurons = layer.mlp(Rows.VISUAL);
    Expression cls = Observe.clsAttention(LAYER);
    Expression scores = layer.q(Rows.CLS).dot(layer.k(Rows.VISUAL));
    List<Expression> taps = List.of(values, hidden, neurons, scores, cls);
    Map<String, float[]> seen = tower(export, taps);
    Map<String, float[]> expected = tower(named, taps);
    float within = export.within(1e-4f);
    for (Expression tap : List.of(values, hidden, neurons)) {
      String name = TapNames.output(tap);
      assertThat(seen.get(name)).as(name).containsExactly(expected.get(name), offset(within));
    }
    assertThat(seen.get(TapNames.output(values))).containsExactly(projected(named), offset(within));
  }

  private Map<String, float[]> tower(ExportFixture export, List<Expression> taps) {
    VisionGraph tower = new VisionGraph(OnnxGraph.read(export.graph()));
    return run(export, tower.withTaps(taps), taps.stream().map(TapNames::output).toList());
  }

  private float[] projected(ExportFixture export) throws IOException {
    String name = "/vision_tower/encoder/layers.%d/self_attn/v_proj/Add_output_0".formatted(LAYER);
    ModelProto.Builder model = ModelProto.parseFrom(Files.readAllBytes(export.graph())).toBuilder();
    model.getGraphBuilder().addOutput(ValueInfoProto.newBuilder().setName(name));
    return run(export, model.build().toByteArray(), List.of(name)).get(name);
  }

  private Map<String, float[]> run(ExportFixture export, byte[] model, List<String> wanted) {
    Map<String, float[]> seen = new HashMap<>();
    try (ModelSession session =
            sessions.open(model, export.folder().toAbsolutePath(), export.name());
        TensorScope scope = sessions.scope()) {
      OnnxTensor pixels =
          scope.floats(FloatBuffer.wrap(export.array("pixels")), export.shape("pixels"));
      session
          .run(scope, Map.of(VisionGraph.PIXELS, pixels), new HashSet<>(wanted))
          .forEach((name, tensor) -> seen.put(name, UnsplitRun.floats(tensor)));
    }
    return seen;
  }
}
