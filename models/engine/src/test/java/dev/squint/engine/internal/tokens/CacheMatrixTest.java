package dev.squint.engine.internal.tokens;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.onnxruntime.OnnxTensor;
import dev.squint.engine.internal.generate.SegmentState;
import dev.squint.engine.internal.kv.KvCache;
import dev.squint.engine.internal.ort.Device;
import dev.squint.engine.internal.ort.OrtRuntime;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.engine.internal.session.SessionFactory;
import dev.squint.engine.internal.session.SplitDecoder;
import dev.squint.engine.internal.session.UnsplitRun;
import dev.squint.engine.options.ExecutionProvider;
import dev.squint.error.ModelException;
import dev.squint.fixtures.ExportFixture;
import dev.squint.onnx.config.ModelConfig;
import dev.squint.onnx.internal.decoder.DecoderGraph;
import dev.squint.onnx.internal.decoder.KvCacheLayout;
import dev.squint.onnx.internal.decoder.KvCacheNames;
import dev.squint.onnx.internal.decoder.KvCacheNames.Field;
import dev.squint.onnx.internal.decoder.Seam;
import dev.squint.onnx.internal.decoder.SegmentSpec;
import dev.squint.onnx.internal.graph.OnnxGraph;
import dev.squint.pruning.cache.KvCachePlan;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Every decoder export with its KV cache stored in other forms. */
class CacheMatrixTest {

  private static final int STEPS = 8;
  private static final String SETS_NONE = "counts positions itself, so none can be set";

  private final OrtRuntime runtime = OrtRuntime.get(1);
  private final SessionFactory sessions =
      new SessionFactory(
          runtime, Device.resolve(new ExecutionProvider.Cpu(), runtime), 1, new AtomicInteger());
  private final Map<String, DecoderGraph> decoders = new HashMap<>();

  static Stream<ExportFixture> firstShare() {
    return ExportFixture.share("decoder", 0, 20);
  }

  static Stream<ExportFixture> secondShare() {
    return ExportFixture.share("decoder", 5, 20);
  }

  static Stream<ExportFixture> thirdShare() {
    return ExportFixture.share("decoder", 10, 20);
  }

  static Stream<ExportFixture> fourthShare() {
    return ExportFixture.share("decoder", 15, 20);
  }

  @AfterEach
  void nothingIsLeftOpen() {
    assertThat(sessions.aliveTensors()).hasValue(0);
  }

  private DecoderGraph decoder(ExportFixture export) {
    return decoders.computeIfAbsent(
        export.name(), name -> new DecoderGraph(OnnxGraph.read(export.graph())));
  }

  private static KvCacheLayout.Quantised form(
      ExportFixture export, int bits, int low, boolean rotated) {
    return new KvCacheLayout.Quantised(bits, low, rotated, export.size("headDim"));
  }

  private static Optional<KvCachePlan> plan(double salient) {
    return Optional.of(new KvCachePlan.Quantised(8, 2, salient, 0, 4, false));
  }

  @ParameterizedTest
  @MethodSource("firstShare")
  void theSameNumbersStoredInPartsGiveTheSameLogits(ExportFixture export) {
    List<float[]> whole = run(export, new KvCacheLayout.Whole(), Optional.empty());
    SegmentSpec unsplit = SegmentSpec.of(0, export.size("layers"));
    KvCacheLayout inParts = form(export, 32, 0, false);
    List<float[]> parts = run(export, List.of(unsplit.with(inParts)), Optional.empty());
    List<float[]> reordered = run(export, form(export, 32, 32, false), plan(0.4));
    for (int step = 0; step <= STEPS; step++) {
      assertThat(parts.get(step)).containsExactly(whole.get(step), offset(export.within(1e-5f)));
      assertThat(reordered.get(step)).containsExactly(whole.get(step), offset(1e-5f));
    }
  }

  /** Parked tokens that every step brings back are as good as tokens that never left. */
  @ParameterizedTest
  @MethodSource("secondShare")
  void parkedTokensComeBackAsTheyWere(ExportFixture export) {
    assumeTrue(decoder(export).positions().isControllable(), SETS_NONE);
    float within = export.within(1e-5f);
    List<float[]> whole = run(export, new KvCacheLayout.Whole(), Optional.empty());
    List<float[]> parked = split(export, new KvCachePlan.Split(0.25, 1, 1));
    List<float[]> evicted = split(export, new KvCachePlan.Split(0.5, 0.5, 1));
    List<float[]> both = split(export, new KvCachePlan.Split(0.25, 0.5, 1));
    List<float[]> rarely = split(export, new KvCachePlan.Split(0.25, 0.5, 3));
    for (int step = 0; step <= STEPS; step++) {
      assertThat(parked.get(step)).containsExactly(whole.get(step), offset(within));
      assertThat(both.get(step)).containsExactly(evicted.get(step), offset(within));
      if (step == 0) {
        assertThat(rarely.get(step)).containsExactly(whole.get(step), offset(within));
      }
    }
    assertThat(distance(evicted, whole)).isGreaterThan(1e-3f);
    assertThat(distance(rarely, evicted)).isGreaterThan(1e-3f);
  }

  private List<float[]> split(ExportFixture export, KvCachePlan.Split plan) {
    KvCacheLayout form = new KvCacheLayout.Attended();
    SegmentSpec first = new SegmentSpec(0, 1, Seam.NONE, true, List.of()).with(form);
    SegmentSpec others =
        new SegmentSpec(1, export.size("layers"), Seam.NONE, true, List.of()).with(form);
    return run(export, List.of(first, others), Optional.of(plan));
  }

  /** Filling heads up to the longest changes nothing, and heads that keep all lose nothing. */
  @ParameterizedTest
  @MethodSource("thirdShare")
  void headsOfAnyLengthAreFilledUpUnseen(ExportFixture export) {
    DecoderGraph decoder = decoder(export);
    assumeTrue(decoder.positions().isControllable(), SETS_NONE);
    int layers = export.size("layers");
    int kvHeads = cacheHeads(export);
    KvCacheLayout form = new KvCacheLayout.Ragged(export.size("heads"), export.size("headDim"));
    List<SegmentSpec> unsplit = List.of(given(0, layers).with(form));
    List<SegmentSpec> perLayer =
        IntStream.range(0, layers).mapToObj(l -> given(l, l + 1).with(form)).toList();
    if (!fills(export, decoder)) {
      assertThatThrownBy(() -> run(export, unsplit, perHead(layers, kvHeads, 1, l -> 1)))
          .isInstanceOf(ModelException.class)
          .hasMessageContaining("one length for all heads");
      return;
    }
    List<float[]> whole = run(export, List.of(given(0, layers)), Optional.empty());
    List<float[]> all = run(export, unsplit, perHead(layers, kvHeads, 100, l -> 1));
    Optional<KvCachePlan> uneven = perHead(layers, kvHeads, 4, l -> l == 0 ? 2 : 0.5);
    List<float[]> filled = run(export, unsplit, uneven);
    List<float[]> tight = run(export, perLayer, uneven);
    float within = export.within(2e-5f);
    boolean windows = export.name().startsWith("gemma"); // measured over the rows of the cache
    for (int step = 0; step <= STEPS; step++) {
      assertThat(all.get(step)).containsExactly(whole.get(step), offset(within));
      if (!windows) {
        assertThat(filled.get(step)).containsExactly(tight.get(step), offset(within));
      }
    }
    assertThat(distance(filled, whole)).isGreaterThan(1e-3f);
  }

  /** Softmax nodes show their scores, and the operator of the model builder adds a bias to them. */
  private static boolean fills(ExportFixture export, DecoderGraph decoder) {
    return switch (decoder.attentionEncoding(0)) {
      case "Softmax" -> true;
      case "GroupQueryAttention" -> !export.name().contains("gemma");
      default -> false;
    };
  }

  private int cacheHeads(ExportFixture export) {
    long heads = decoder(export).kvHeads();
    return heads > 0 ? (int) heads : export.size("kvHeads");
  }

  private static SegmentSpec given(int from, int to) {
    return new SegmentSpec(from, to, Seam.NONE, true, List.of());
  }

  private static Optional<KvCachePlan> perHead(
      int layers, int kvHeads, int tokens, IntToDoubleFunction ofLayer) {
    List<List<Double>> weights =
        IntStream.range(0, layers)
            .mapToObj(
                l -> Collections.nCopies(kvHeads, ofLayer.applyAsDouble(l) / layers / kvHeads))
            .toList();
    return Optional.of(new KvCachePlan.PerHead(weights, 1, OptionalInt.of(tokens), 4));
  }

  /**
   * Logits of these random weights reach 4. 8 bits move them by 0.02 to 0.06, where queries and
   * keys have large biases by up to 0.3; 4 bits by more.
   */
  @ParameterizedTest
  @MethodSource("fourthShare")
  void fewerBitsStayNear(ExportFixture export) {
    List<float[]> whole = run(export, new KvCacheLayout.Whole(), Optional.empty());
    List<float[]> eight = run(export, form(export, 8, 0, false), Optional.empty());
    for (boolean rotated : new boolean[] {false, true}) {
      float near =
          rotated
              ? distance(whole, run(export, form(export, 8, 0, true), Optional.empty()))
              : distance(whole, eight);
      float four = distance(whole, run(export, form(export, 4, 0, rotated), Optional.empty()));
      assertThat(near).isPositive().isLessThan(0.35f);
      assertThat(four).isGreaterThan(2 * near);
    }
    List<float[]> allSalient = run(export, form(export, 8, 2, false), plan(1));
    assertThat(distance(eight, allSalient)).isLessThan(1e-4f);
  }

  /** What is stored is what the formula of {@link KvCachePlan.Quantised} says. */
  @ParameterizedTest
  @CsvSource({
    "llama-dyn-18, 8, false",
    "llama-dyn-18, 4, false",
    "llama-dyn-23, 2, false",
    "llama-dyn-23, 2, true",
    "genai-llama-fp32, 8, true",
    "genai-llama-fp32, 4, false",
    "genai-llama-fp32, 2, false"
  })
  void numbersAreRoundedAsTheFormulaSays(String name, int bits, boolean rotated) {
    ExportFixture export = ExportFixture.named(name);
    int width = export.size("headDim");
    Map<String, OnnxTensor> exact = new HashMap<>();
    Map<String, OnnxTensor> stored = new HashMap<>();
    try (TensorScope scope = sessions.scope()) {
      prefill(export, form(export, 32, 0, false), scope, exact);
      prefill(export, form(export, bits, 0, rotated), scope, stored);
      for (boolean key : new boolean[] {true, false}) {
        float[] numbers = UnsplitRun.floats(exact.get(KvCacheNames.grown(0, key, Field.VALUES)));
        float[] scales = UnsplitRun.floats(stored.get(KvCacheNames.grown(0, key, Field.SCALE)));
        float[] leasts = UnsplitRun.floats(stored.get(KvCacheNames.grown(0, key, Field.LEAST)));
        ByteBuffer bytes = stored.get(KvCacheNames.grown(0, key, Field.VALUES)).getByteBuffer();
        assertThat(bytes.remaining()).isEqualTo(numbers.length * bits / Byte.SIZE);
        for (int row = 0; row < scales.length; row++) {
          float[] head = Arrays.copyOfRange(numbers, row * width, (row + 1) * width);
          float[] turned = rotated ? hadamard(head) : head;
          float least = Float.POSITIVE_INFINITY;
          float most = Float.NEGATIVE_INFINITY;
          for (float number : turned) {
            least = Math.min(least, number);
            most = Math.max(most, number);
          }
          float scale = (most - least) / ((1 << bits) - 1);
          assertThat(leasts[row]).isEqualTo(least, offset(1e-5f));
          assertThat(scales[row]).isEqualTo(scale, offset(1e-5f));
          for (int i = 0; i < width; i++) {
            int perByte = Byte.SIZE / bits;
            int packed = width / perByte;
            int place = i / packed * bits;
            int whole = bytes.get(row * packed + i % packed) >> place & ((1 << bits) - 1);
            assertThat(least + whole * scale)
                .isEqualTo(turned[i], offset(scale / 2 + 1e-4f * Math.abs(scale) + 1e-5f));
          }
        }
      }
    }
  }

  private static float[] hadamard(float[] head) {
    float[] turned = new float[head.length];
    for (int i = 0; i < head.length; i++) {
      double sum = 0;
      for (int j = 0; j < head.length; j++) {
        sum += Integer.bitCount(i & j) % 2 == 0 ? head[j] : -head[j];
      }
      turned[i] = (float) (sum / Math.sqrt(head.length));
    }
    return turned;
  }

  private void prefill(
      ExportFixture export, KvCacheLayout form, TensorScope scope, Map<String, OnnxTensor> out) {
    DecoderGraph decoder = decoder(export);
    SegmentSpec spec = SegmentSpec.of(0, export.size("layers")).with(form);
    int tokens = export.size("tokens");
    try (SplitDecoder parts = new SplitDecoder(sessions, decoder, List.of(spec))) {
      SplitDecoder.Segment segment = parts.list().get(0);
      KvCache cache = KvCache.of(segment, sizes(export), scope.newScope(), Optional.empty());
      try (TensorScope run = scope.newScope()) {
        Map<String, OnnxTensor> inputs = new HashMap<>(cache.inputs(run, tokens));
        inputs.put(
            DecoderGraph.EMBEDS,
            UnsplitRun.embeds(run, export.array("embeds"), export.size("hidden")));
        long[] mask = new long[tokens];
        Arrays.fill(mask, 1);
        inputs.put(DecoderGraph.MASK, run.longs(mask, 1, tokens));
        if (segment.session().inputs().contains(DecoderGraph.POSITIONS)) {
          inputs.put(DecoderGraph.POSITIONS, UnsplitRun.positions(export, "positions").tensor(run));
        }
        segment
            .session()
            .run(run, inputs, cache.outputs())
            .forEach((output, tensor) -> out.put(output, scope.transferFrom(run, tensor)));
      } finally {
        cache.close();
      }
    }
  }

  private static float distance(List<float[]> one, List<float[]> other) {
    float most = 0;
    for (int step = 0; step < one.size(); step++) {
      for (int i = 0; i < one.get(step).length; i++) {
        most = Math.max(most, Math.abs(one.get(step)[i] - other.get(step)[i]));
      }
    }
    return most;
  }

  private static ModelConfig.Text sizes(ExportFixture export) {
    return new ModelConfig.Text(
        export.size("layers"),
        export.size("hidden"),
        export.size("heads"),
        export.size("kvHeads"),
        export.size("headDim"),
        1,
        export.size("vocabulary"),
        10_000);
  }

  /** Split after the first layer. */
  private List<float[]> run(ExportFixture export, KvCacheLayout form, Optional<KvCachePlan> plan) {
    SegmentSpec first = SegmentSpec.of(0, 1).with(form);
    SegmentSpec others = SegmentSpec.of(1, export.size("layers")).with(form);
    return run(export, List.of(first, others), plan);
  }

  /** The logits after the prompt and after each step. */
  private List<float[]> run(
      ExportFixture export, List<SegmentSpec> specs, Optional<KvCachePlan> plan) {
    DecoderGraph decoder = decoder(export);
    int hidden = export.size("hidden");
    int tokens = export.size("tokens");
    int start = export.size("visualStart");
    int end = start + export.size("visualLength");
    long[] types =
        IntStream.range(0, tokens).mapToLong(r -> r >= start && r < end ? 1 : 0).toArray();
    int[] visual =
        IntStream.range(0, tokens).map(r -> r >= start && r < end ? r - start : -1).toArray();
    LiveTokens rows = new LiveTokens(IntStream.range(0, tokens).toArray(), visual);
    List<float[]> logits = new ArrayList<>();
    List<SegmentState> states = new ArrayList<>();
    try (TensorScope scope = sessions.scope();
        SplitDecoder parts = new SplitDecoder(sessions, decoder, specs)) {
      parts
          .list()
          .forEach(p -> states.add(new SegmentState(p, sizes(export), scope.newScope(), plan)));
      RotaryPositions prompt = UnsplitRun.positions(export, "positions");
      RotaryPositions steps = UnsplitRun.positions(export, "decodePositions");
      for (int step = 0; step <= STEPS; step++) {
        try (TensorScope pass = scope.newScope()) {
          boolean first = step == 0;
          float[] embeds =
              first
                  ? export.array("embeds")
                  : ExportFixture.row(export.array("decodeEmbeds"), step - 1, hidden);
          List<OnnxTensor> flow = List.of(UnsplitRun.embeds(pass, embeds, hidden));
          for (SegmentState state : states) {
            SegmentState.Input input =
                new SegmentState.Input(
                    flow,
                    first ? prompt : steps.gathered(new int[] {step - 1}),
                    first ? types : new long[1],
                    IntStream.range(0, first ? tokens : 1).toArray(),
                    MergeMatrix.NONE,
                    Optional.empty());
            flow = state.run(pass, input).hidden();
            if (first) {
              state.onPrefillDone(rows);
            }
          }
          logits.add(UnsplitRun.lastRow(flow.get(0), export));
        }
      }
      states.forEach(SegmentState::close);
    }
    return logits;
  }
}
