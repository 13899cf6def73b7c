package dev.squint.engine.internal.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import com.fasterxml.jackson.databind.JsonNode;
import dev.squint.engine.internal.ort.Device;
import dev.squint.engine.internal.ort.ModelSession;
import dev.squint.engine.internal.ort.OrtRuntime;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.engine.internal.tokens.MergeMatrix;
import dev.squint.engine.internal.tokens.TokenReduction;
import dev.squint.engine.internal.vision.VisionEncoder;
import dev.squint.engine.options.ExecutionProvider;
import dev.squint.engine.request.PixelValues;
import dev.squint.error.ModelException;
import dev.squint.fixtures.ExportFixture;
import dev.squint.onnx.internal.graph.OnnxGraph;
import dev.squint.onnx.internal.observe.TapNames;
import dev.squint.onnx.internal.vision.VisionGraph;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Heads;
import dev.squint.pruning.observe.Leaf;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.observe.Stage;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every vision export with taps in every layer: the numbers are those of PyTorch. */
class VisionMatrixTest {

  /** Rounds by the greatest number of all tokens, so the tokens there are matter. */
  private static final float ROUNDING_OF_8_BITS = 0.1f;

  private final OrtRuntime runtime = OrtRuntime.get(1);
  private final SessionFactory sessions =
      new SessionFactory(
          runtime, Device.resolve(new ExecutionProvider.Cpu(), runtime), 1, new AtomicInteger());

  static Stream<ExportFixture> towers() {
    return ExportFixture.all("vision").stream();
  }

  static Stream<ExportFixture> half() {
    return ExportFixture.share("vision", 0, 2);
  }

  @AfterEach
  void nothingIsLeftOpen() {
    assertThat(sessions.aliveTensors()).hasValue(0);
  }

  @ParameterizedTest
  @MethodSource("towers")
  void tapsAreWhatPyTorchObserves(ExportFixture export) {
    VisionGraph tower = new VisionGraph(OnnxGraph.read(export.graph()));
    assertThat(tower.layers()).isEqualTo(export.size("layers"));
    assertThat(tower.hasCls()).isEqualTo(export.json().get("hasCls").asBoolean());
    List<Expression> taps = new ArrayList<>();
    for (int layer = 0; layer < tower.layers(); layer++) {
      if (tower.isWindowed(layer)) {
        Expression local = Observe.attentionReceived(layer);
        assertThatThrownBy(() -> tower.withTaps(List.of(local)))
            .isInstanceOf(ModelException.class)
            .hasMessageContaining("attends within windows");
      } else {
        taps.add(Observe.attentionReceived(layer));
        if (tower.hasCls()) {
          taps.add(Observe.clsAttention(layer));
        }
      }
    }
    assertThat(taps).isNotEmpty();
    Map<String, float[]> seen = run(export, tower, taps);
    if (export.hasReference()) {
      assertThat(seen.get(VisionGraph.FEATURES))
          .containsExactly(export.array("features"), offset(export.within(1e-4f)));
      for (Expression tap : taps) {
        assertThat(seen.get(TapNames.output(tap)))
            .as("%s", tap)
            .containsExactly(expected(export, tower, tap), offset(export.within(1e-4f) / 2));
      }
    }
  }

  @Test
  void theProjectorsMatricesAreThoseOfItsGraph() {
    assertThat(projectorHidden("vision-idefics3-tiles")).hasValue(0);
    assertThat(projectorHidden("vision-qwen2vl-ts")).hasValue(4 * 32);
    assertThat(projectorHidden("vision-clip-ts-eager-14")).hasValue(32);
    assertThat(projectorHidden("vision-clip-no-projector")).isEmpty();
  }

  private static OptionalInt projectorHidden(String export) {
    return new VisionGraph(OnnxGraph.read(ExportFixture.named(export).graph())).projectorHidden();
  }

  /** Keys of every layer and the projector's input, compared as PyTorch has them. */
  @ParameterizedTest
  @MethodSource("half")
  void comparisonsAreThoseOfPyTorch(ExportFixture export) {
    VisionGraph tower = new VisionGraph(OnnxGraph.read(export.graph()));
    List<Expression> keys = keyTaps(tower);
    Expression features = Observe.featureSimilarity(Stage.BEFORE_PROJECTOR);
    if (tower.takesPatches()) {
      assertRefused(() -> tower.tower(List.of()), "merges patches");
      assertRefused(tower::projector, "merges patches");
    }
    if (!export.hasReference()) {
      return;
    }
    List<Expression> taps = new ArrayList<>(keys);
    if (export.has("patches")) {
      taps.add(features);
    }
    Map<String, float[]> seen = run(export, tower, taps);
    for (Expression tap : taps) {
      assertThat(seen.get(TapNames.output(tap)))
          .as("%s", tap)
          .containsExactly(cosines(export, tower, tap), offset(export.within(1e-5f)));
    }
  }

  private static List<Expression> keyTaps(VisionGraph tower) {
    List<Expression> taps = new ArrayList<>();
    for (int layer = 0; layer < tower.layers(); layer++) {
      if (!tower.isWindowed(layer)) {
        taps.add(Observe.keySimilarity(layer, Heads.EACH));
        taps.add(Observe.keySimilarity(layer, Heads.AVERAGED));
      }
    }
    return taps;
  }

  /** From the vectors of PyTorch: keys {@code [B, heads, tokens, width]}, or patches. */
  private static float[] cosines(ExportFixture export, VisionGraph tower, Expression tap) {
    Leaf leaf = leaf(tap);
    boolean keys = leaf.tensor() == Leaf.Tensor.K;
    float[] values = export.array(keys ? "keys." + leaf.place().layer() : "patches");
    int heads = keys ? export.size("heads") : 1;
    int cls = tower.hasCls() ? 1 : 0;
    int first = keys ? cls : 0;
    long[] shape = export.shape(keys ? "keys." + leaf.place().layer() : "patches");
    int tokens = (int) shape[shape.length - 2];
    int width = (int) shape[shape.length - 1];
    int patches = tokens - first;
    int images = values.length / (heads * tokens * width);
    boolean mean = tap.canonical().contains("mean");
    int visual = tower.takesPatches() ? patches / export.size("patchesPerToken") : patches;
    float[] cosines = new float[images * visual * visual];
    int at = 0;
    for (int image = 0; image < images; image++) {
      double[][] vectors = new double[patches][mean ? width : heads * width];
      for (int i = 0; i < patches; i++) {
        for (int head = 0; head < heads; head++) {
          int from = ((image * heads + head) * tokens + first + i) * width;
          for (int d = 0; d < width; d++) {
            vectors[i][mean ? d : head * width + d] += values[from + d];
          }
        }
      }
      double[][] compared = tower.takesPatches() ? sums(export, vectors) : vectors;
      for (double[] one : compared) {
        for (double[] other : compared) {
          cosines[at++] = (float) (dot(one, other) / Math.sqrt(dot(one, one) * dot(other, other)));
        }
      }
    }
    return cosines;
  }

  /** Of each visual token the sum of what its patches have. */
  private static double[][] sums(ExportFixture export, double[][] patches) {
    int[] tokenOf = tokenOf(export);
    double[][] sums =
        new double[patches.length / export.size("patchesPerToken")][patches[0].length];
    for (int i = 0; i < patches.length; i++) {
      for (int d = 0; d < patches[i].length; d++) {
        sums[tokenOf[i]][d] += patches[i][d];
      }
    }
    return sums;
  }

  private static Leaf leaf(Expression tap) {
    return tap.leaves().findFirst().orElseThrow();
  }

  private static double dot(double[] one, double[] other) {
    double sum = 0;
    for (int i = 0; i < one.length; i++) {
      sum += one[i] * other[i];
    }
    return sum;
  }

  private static void assertRefused(ThrowingCallable call, String reason) {
    assertThatThrownBy(call).isInstanceOf(ModelException.class).hasMessageContaining(reason);
  }

  /** Rounding to 8 bits moves them a little, as it does the features. */
  @Test
  void aQuantisedTowerComparesAlike() {
    Map<String, float[]> plain = comparisons(ExportFixture.named("vision-clip-ts-eager-14"));
    Map<String, float[]> seen = comparisons(ExportFixture.named("vision-clip-q8"));
    plain.forEach(
        (tap, cosines) ->
            assertThat(seen.get(tap)).as(tap).containsExactly(cosines, offset(ROUNDING_OF_8_BITS)));
  }

  @Test
  void withoutAProjectorNothingIsBeforeIt() {
    ExportFixture export = ExportFixture.named("vision-clip-no-projector");
    VisionGraph tower = new VisionGraph(OnnxGraph.read(export.graph()));
    Expression features = Observe.featureSimilarity(Stage.BEFORE_PROJECTOR);
    for (ThrowingCallable call :
        List.<ThrowingCallable>of(
            tower::projector,
            () -> tower.tower(List.of()),
            () -> tower.withTaps(List.of(features)))) {
      assertRefused(call, "has no projector after its last layer");
    }
  }

  private Map<String, float[]> comparisons(ExportFixture export) {
    VisionGraph tower = new VisionGraph(OnnxGraph.read(export.graph()));
    List<Expression> taps = keyTaps(tower);
    taps.add(Observe.featureSimilarity(Stage.BEFORE_PROJECTOR));
    Map<String, float[]> seen = run(export, tower, taps);
    seen.remove(VisionGraph.FEATURES);
    int patches = (int) Math.sqrt(seen.get(TapNames.output(taps.get(0))).length);
    for (float[] cosines : seen.values()) {
      assertThat(cosines).hasSize(patches * patches);
      for (int i = 0; i < patches; i++) {
        assertThat(cosines[i * patches + i]).isEqualTo(1, offset(export.within(1e-5f)));
      }
    }
    return seen;
  }

  /** Those that take nothing but pixels and have a projector for each token. */
  static Stream<ExportFixture> divisible() {
    return towers()
        .filter(export -> export.has("patches") || !export.hasReference())
        .filter(export -> export.json().get("extraInputs").isEmpty());
  }

  @ParameterizedTest
  @MethodSource("divisible")
  void towerAndProjectorApartGiveTheFeatures(ExportFixture export) {
    VisionGraph tower = new VisionGraph(OnnxGraph.read(export.graph()));
    float[] features = run(export, tower, List.of()).get(VisionGraph.FEATURES);
    int width = export.size("hidden");
    int tokens = features.length / width;
    int[] some = IntStream.range(0, tokens).filter(i -> i % 3 == 0).toArray();
    float[] expected = new float[some.length * width];
    for (int i = 0; i < some.length; i++) {
      System.arraycopy(features, some[i] * width, expected, i * width, width);
    }
    VisionEncoder encoder = new VisionEncoder(sessions, export.graph());
    try (encoder;
        TensorScope scope = sessions.scope()) {
      PixelValues values = pixels(export);
      VisionEncoder.Encoded seen =
          encoder.encode(scope, scope.newScope(), values, List.of(), false);
      TokenReduction all = TokenReduction.all(tokens);
      assertThat(UnsplitRun.floats(encoder.project(scope, seen.output(), all)))
          .containsExactly(features, offset(export.within(1e-5f)));
      TokenReduction kept = new TokenReduction(some, some, new int[0], MergeMatrix.NONE);
      float rounding = export.hasReference() ? export.within(1e-5f) : ROUNDING_OF_8_BITS;
      assertThat(UnsplitRun.floats(encoder.project(scope, seen.output(), kept)))
          .containsExactly(expected, offset(rounding));
    }
  }

  private static PixelValues pixels(ExportFixture export) {
    float[] numbers = export.array("pixels");
    FloatBuffer pixels =
        ByteBuffer.allocateDirect(numbers.length * Float.BYTES)
            .order(ByteOrder.nativeOrder())
            .asFloatBuffer()
            .put(numbers)
            .flip();
    return new PixelValues(pixels, export.shape("pixels"));
  }

  /** What the projector makes of a sum is what it makes of the same sum, mixed by hand. */
  @ParameterizedTest
  @MethodSource("divisible")
  void sumsEnterTheProjector(ExportFixture export) {
    VisionEncoder encoder = new VisionEncoder(sessions, export.graph());
    try (encoder;
        TensorScope scope = sessions.scope()) {
      OnnxTensor patches =
          encoder.encode(scope, scope.newScope(), pixels(export), List.of(), false).output();
      if (patches.getInfo().type != OnnxJavaType.FLOAT) {
        return;
      }
      float[] mixed = UnsplitRun.floats(patches);
      long[] shape = patches.getInfo().getShape();
      int width = (int) shape[2];
      int tokens = mixed.length / width;
      for (int d = 0; d < width; d++) {
        mixed[width + d] = 0.5f * mixed[width + d] + 0.3f * mixed[d] - 0.2f * mixed[3 * width + d];
      }
      TokenReduction all = TokenReduction.all(tokens);
      float[] expected =
          UnsplitRun.floats(
              encoder.project(scope, scope.floats(FloatBuffer.wrap(mixed), shape), all));
      int[] visual = all.liveVisual().clone();
      visual[1] = tokens;
      MergeMatrix mix = new MergeMatrix(new int[] {0, 1, 3}, new float[] {0.3f, 0.5f, -0.2f});
      TokenReduction merged = new TokenReduction(visual, all.livePlaces(), new int[] {1}, mix);
      float rounding = export.hasReference() ? 1e-5f : ROUNDING_OF_8_BITS;
      assertThat(UnsplitRun.floats(encoder.project(scope, patches, merged)))
          .containsExactly(expected, offset(rounding));
    }
  }

  private Map<String, float[]> run(ExportFixture export, VisionGraph tower, List<Expression> taps) {
    Set<String> wanted = new HashSet<>(Set.of(VisionGraph.FEATURES));
    taps.forEach(tap -> wanted.add(TapNames.output(tap)));
    Map<String, float[]> seen = new HashMap<>();
    try (ModelSession session =
            sessions.open(tower.withTaps(taps), export.folder().toAbsolutePath(), export.name());
        TensorScope scope = sessions.scope()) {
      Map<String, OnnxTensor> inputs = new HashMap<>();
      inputs.put(
          VisionGraph.PIXELS,
          scope.floats(FloatBuffer.wrap(export.array("pixels")), export.shape("pixels")));
      export
          .json()
          .get("extraInputs")
          .properties()
          .forEach(
              entry -> {
                if (session.inputs().contains(entry.getKey())) {
                  inputs.put(entry.getKey(), extra(scope, entry.getValue()));
                }
              });
      session
          .run(scope, inputs, wanted)
          .forEach((name, tensor) -> seen.put(name, UnsplitRun.floats(tensor)));
    }
    return seen;
  }

  private static OnnxTensor extra(TensorScope scope, JsonNode input) {
    long[] values = ExportFixture.stream(input.get("values")).toArray();
    long[] shape = ExportFixture.stream(input.get("shape")).toArray();
    if (!input.get("type").asText().equals("bool")) {
      return scope.longs(values, shape);
    }
    ByteBuffer flags = ByteBuffer.allocateDirect(values.length).order(ByteOrder.nativeOrder());
    for (long value : values) {
      flags.put((byte) value);
    }
    return scope.bytes(OnnxJavaType.BOOL, flags.flip(), shape);
  }

  /** From the whole maps of PyTorch: per patch, or per token where patches come sorted. */
  private static float[] expected(ExportFixture export, VisionGraph tower, Expression tap) {
    Leaf leaf = leaf(tap);
    float[] maps = export.array("attention." + leaf.place().layer());
    int tokens = export.size("tokens");
    int heads = export.size("heads");
    int cls = tower.hasCls() ? 1 : 0;
    int images = maps.length / (heads * tokens * tokens);
    int patches = tokens - cls;
    float[] scores = new float[images * patches];
    int queries = leaf.rows() == Rows.CLS ? 1 : tokens;
    for (int map = 0; map < images * heads; map++) {
      for (int query = 0; query < queries; query++) {
        for (int key = 0; key < patches; key++) {
          scores[map / heads * patches + key] +=
              maps[(map * tokens + query) * tokens + cls + key] / (heads * queries);
        }
      }
    }
    return tower.takesPatches() ? perToken(export, scores) : scores;
  }

  private static float[] perToken(ExportFixture export, float[] scores) {
    int perToken = export.size("patchesPerToken");
    int[] tokenOf = tokenOf(export);
    float[] tokens = new float[scores.length / perToken];
    for (int i = 0; i < scores.length; i++) {
      tokens[tokenOf[i]] += scores[i] / perToken;
    }
    return tokens;
  }

  /** For each patch of the tower the visual token that it becomes a part of. */
  private static int[] tokenOf(ExportFixture export) {
    int columns = export.json().get("grid").get(1).asInt();
    int side = (int) Math.sqrt(export.size("patchesPerToken"));
    return ExportFixture.stream(export.json().get("order"))
        .mapToInt(
            patch -> (int) patch / columns / side * (columns / side) + (int) patch % columns / side)
        .toArray();
  }
}
