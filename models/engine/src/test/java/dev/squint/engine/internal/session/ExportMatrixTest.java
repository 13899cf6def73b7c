package dev.squint.engine.internal.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.onnxruntime.OnnxTensor;
import com.fasterxml.jackson.databind.JsonNode;
import dev.squint.engine.WholeFile;
import dev.squint.engine.internal.generate.ChosenRows;
import dev.squint.engine.internal.generate.SegmentState;
import dev.squint.engine.internal.ort.Device;
import dev.squint.engine.internal.ort.ModelSession;
import dev.squint.engine.internal.ort.OrtRuntime;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.engine.internal.tokens.MergeMatrix;
import dev.squint.engine.internal.tokens.RotaryPositions;
import dev.squint.engine.options.ExecutionProvider;
import dev.squint.fixtures.ExportFixture;
import dev.squint.fixtures.Share;
import dev.squint.onnx.config.ModelConfig;
import dev.squint.onnx.internal.decoder.DecoderGraph;
import dev.squint.onnx.internal.decoder.Seam;
import dev.squint.onnx.internal.decoder.SegmentSpec;
import dev.squint.onnx.internal.graph.OnnxGraph;
import dev.squint.onnx.internal.observe.TapNames;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Heads;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Rows;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every decoder export, split at every set of layers: the numbers are those of the unsplit file and
 * of PyTorch.
 */
class ExportMatrixTest {

  private static final int STEPS = 8;

  /** The first and last of the text tokens that are observed. */
  private static final int[] TEXT = {21, 23};

  private static final int[] NONE = {};

  /**
   * ONNX Runtime cannot decode with this file, because the lengths it declares for inner values
   * contradict each other. Segments declare none and run.
   */
  private static final Set<String> UNRUNNABLE = Set.of("genai-llama-mha");

  private static final float INT8_ONE_ROW = 0.39f;

  private final OrtRuntime runtime = OrtRuntime.get(1);
  private final SessionFactory sessions =
      new SessionFactory(
          runtime, Device.resolve(new ExecutionProvider.Cpu(), runtime), 1, new AtomicInteger());

  /** And those that PyTorch computed nothing for. */
  static Stream<ExportFixture> firstHalf() {
    Set<String> names =
        ExportFixture.share("decoder", 0, 2).map(ExportFixture::name).collect(Collectors.toSet());
    return ExportFixture.all("decoder").stream()
        .filter(export -> names.contains(export.name()) || !export.hasReference());
  }

  static Stream<ExportFixture> secondHalf() {
    return ExportFixture.share("decoder", 1, 2);
  }

  static Stream<ExportFixture> firstEighth() {
    return ExportFixture.share("decoder", 0, 8);
  }

  static Stream<ExportFixture> thirdEighth() {
    return ExportFixture.share("decoder", 2, 8);
  }

  static Stream<ExportFixture> fifthEighth() {
    return ExportFixture.share("decoder", 4, 8);
  }

  static Stream<ExportFixture> seventhEighth() {
    return ExportFixture.share("decoder", 6, 8);
  }

  @AfterEach
  void nothingIsLeftOpen() {
    assertThat(sessions.aliveTensors()).hasValue(0);
  }

  @ParameterizedTest
  @MethodSource("firstHalf")
  void splittingChangesNothing(ExportFixture export) {
    DecoderGraph decoder = new DecoderGraph(OnnxGraph.read(export.graph()));
    int layers = export.size("layers");
    assertThat(decoder.layers()).isEqualTo(layers);
    List<float[]> expected = unsplit(export);
    int last = (1 << (layers - 1)) - 1;
    int drawn = Math.floorMod(export.name().hashCode(), 2 * last);
    for (int set = 0; set <= last; set++) {
      boolean first = isDynamic(export) && set == 0;
      if (!Share.isWhole() && set != Math.min(drawn, last) && !first) {
        continue;
      }
      List<SegmentSpec> specs = new ArrayList<>();
      int from = 0;
      for (int layer = 1; layer <= layers; layer++) {
        if (layer == layers || (set >> (layer - 1) & 1) == 1) {
          specs.add(
              new SegmentSpec(from, layer, from > 0 ? Seam.GATHER : Seam.NONE, false, List.of()));
          from = layer;
        }
      }
      List<float[]> actual = new ArrayList<>();
      try (Split split = new Split(export, decoder, specs)) {
        split.run(Map.of(), Set.of(), actual);
      }
      float within = set == 0 && isDynamic(export) ? INT8_ONE_ROW : export.within(1e-5f);
      for (int step = 0; step < expected.size(); step++) {
        assertThat(actual.get(step))
            .as("%s at step %d", specs, step)
            .containsExactly(expected.get(step), offset(within));
      }
      expected = isDynamic(export) ? actual : expected;
    }
  }

  /**
   * Where activations are scaled by the largest value of all rows, the last row alone is scaled
   * finer. Splits are compared among themselves there, and with the file within the error that the
   * quantisation itself makes.
   */
  private static boolean isDynamic(ExportFixture export) {
    return export.json().get("precision").asText().equals("int8");
  }

  /** The logits of the whole file, last row of the prompt and then of each step. */
  private List<float[]> unsplit(ExportFixture export) {
    List<float[]> logits = new ArrayList<>();
    if (UNRUNNABLE.contains(export.name())) {
      int width = export.size("vocabulary");
      logits.add(ExportFixture.row(export.array("logits"), export.size("tokens") - 1, width));
      for (int step = 0; step < STEPS; step++) {
        logits.add(ExportFixture.row(export.array("decodeLogits"), step, width));
      }
      return logits;
    }
    try (ModelSession whole = WholeFile.open(sessions, export.graph())) {
      new UnsplitRun(whole, export, sessions).run(logits);
    }
    if (export.hasReference()) {
      int width = export.size("vocabulary");
      int last = export.size("tokens") - 1;
      assertThat(logits.get(0))
          .containsExactly(
              ExportFixture.row(export.array("logits"), last, width), offset(export.within(1e-3f)));
    }
    return logits;
  }

  @ParameterizedTest
  @MethodSource("firstEighth")
  void tapsAreWhatPyTorchObserves(ExportFixture export) {
    assumeTrue(export.hasReference(), "PyTorch computed nothing for it");
    DecoderGraph decoder = new DecoderGraph(OnnxGraph.read(export.graph()));
    int layers = export.size("layers");
    for (boolean perLayer : new boolean[] {false, true}) {
      List<SegmentSpec> specs = new ArrayList<>();
      int step = perLayer ? 1 : layers;
      for (int from = 0; from < layers; from += step) {
        List<Expression> taps = new ArrayList<>();
        for (int layer = from; layer < from + step; layer++) {
          taps.add(attention(layer, Heads.AVERAGED));
          taps.add(attention(layer, Heads.EACH));
          taps.add(Observe.hiddenStates(layer));
          taps.add(Observe.keys(layer));
        }
        specs.add(new SegmentSpec(from, from + step, Seam.NONE, false, taps));
      }
      try (Split split = new Split(export, decoder, specs)) {
        Map<String, float[]> seen = split.run(Map.of(), Set.of(0, 21, 23), new ArrayList<>());
        for (int layer = 0; layer < layers; layer++) {
          checkTaps(export, seen, layer);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("thirdEighth")
  void attentionAheadOfALayerIsThatOfTheLayer(ExportFixture export) {
    assumeTrue(export.hasReference(), "PyTorch computed nothing for it");
    DecoderGraph decoder = new DecoderGraph(OnnxGraph.read(export.graph()));
    int[] queries = {21, 23};
    int start = export.size("visualStart");
    int[] columns = IntStream.range(start, start + export.size("visualLength")).toArray();
    for (int layer = 1; layer < export.size("layers"); layer++) {
      List<SegmentSpec> specs =
          List.of(
              SegmentSpec.of(0, layer),
              SegmentSpec.lookahead(
                  layer,
                  List.of(attention(layer, Heads.AVERAGED), attention(layer, Heads.EACH)),
                  false));
      try (Split split = new Split(export, decoder, specs)) {
        Map<String, float[]> seen = split.ahead(layer, queries, columns);
        checkAttention(export, seen, layer, queries);
        assertThat(seen).hasSize(2);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("fifthEighth")
  void tokensOfTextAreSeenToo(ExportFixture export) {
    assumeTrue(export.hasReference(), "PyTorch computed nothing for it");
    DecoderGraph decoder = new DecoderGraph(OnnxGraph.read(export.graph()));
    int hidden = export.size("hidden");
    Expression states = Observe.hiddenStates(1, Rows.TEXT_AFTER_VISUAL, false);
    Expression normed = Observe.hiddenStates(1, Rows.TEXT_AFTER_VISUAL, true);
    SegmentSpec spec =
        new SegmentSpec(0, export.size("layers"), Seam.NONE, false, List.of(states, normed));
    try (Split split = new Split(export, decoder, List.of(spec))) {
      Map<String, float[]> seen = split.run(Map.of(), Set.of(), new ArrayList<>());
      float[] rows =
          Arrays.copyOfRange(export.array("hidden.1"), TEXT[0] * hidden, (TEXT[1] + 1) * hidden);
      assertThat(seen.get(TapNames.output(states)))
          .containsExactly(rows, offset(export.within(1e-3f) * 3));
      float[] weights = new float[hidden];
      float[] unit = unit(rows, hidden);
      float[] scaled = seen.get(TapNames.output(normed));
      for (int i = 0; i < scaled.length; i++) {
        weights[i % hidden] += scaled[i] * unit[i];
      }
      float[] expected = new float[scaled.length];
      for (int i = 0; i < scaled.length; i++) {
        double squares = 0;
        for (int row = i % hidden; row < unit.length; row += hidden) {
          squares += unit[row] * unit[row];
        }
        expected[i] = (float) (weights[i % hidden] / squares * unit[i]);
      }
      assertThat(scaled).containsExactly(expected, offset(export.within(1e-3f) * 3));
    }
  }

  /** Rows of a mean square of 1: what a norm returns, but for a weight per column. */
  private static float[] unit(float[] rows, int width) {
    float[] unit = new float[rows.length];
    for (int from = 0; from < rows.length; from += width) {
      double squares = 0;
      for (int i = from; i < from + width; i++) {
        squares += (double) rows[i] * rows[i];
      }
      for (int i = from; i < from + width; i++) {
        unit[i] = (float) (rows[i] / Math.sqrt(squares / width + 1e-6));
      }
    }
    return unit;
  }

  private static Expression attention(int layer, Heads heads) {
    return Observe.textToVisualAttention(layer, Rows.TEXT, heads);
  }

  private static void checkAttention(
      ExportFixture export, Map<String, float[]> seen, int layer, int[] queries) {
    int tokens = export.size("tokens");
    int heads = export.size("heads");
    int start = export.size("visualStart");
    int length = export.size("visualLength");
    float[] map = export.array("attention." + layer);
    float[] perHead = new float[heads * queries.length * length];
    float[] mean = new float[queries.length * length];
    for (int head = 0; head < heads; head++) {
      for (int row = 0; row < queries.length; row++) {
        for (int column = 0; column < length; column++) {
          float cell = map[(head * tokens + queries[row]) * tokens + start + column];
          perHead[(head * queries.length + row) * length + column] = cell;
          mean[row * length + column] += cell / heads;
        }
      }
    }
    float within = export.within(1e-4f);
    assertThat(seen.get(TapNames.output(attention(layer, Heads.AVERAGED))))
        .as("attention of layer %d", layer)
        .containsExactly(mean, offset(within));
    assertThat(seen.get(TapNames.output(attention(layer, Heads.EACH))))
        .as("attention of layer %d by head", layer)
        .containsExactly(perHead, offset(within));
  }

  private static void checkTaps(ExportFixture export, Map<String, float[]> seen, int layer) {
    int[] queries = {0, 21, 23};
    checkAttention(export, seen, layer, queries);
    int tokens = export.size("tokens");
    int start = export.size("visualStart");
    int length = export.size("visualLength");
    int hidden = export.size("hidden");
    assertThat(seen.get(TapNames.output(Observe.hiddenStates(layer))))
        .as("hidden states into layer %d", layer)
        .containsExactly(
            Arrays.copyOfRange(
                export.array("hidden." + layer), start * hidden, (start + length) * hidden),
            offset(export.within(1e-3f) * 3));
    int kvHeads = export.size("kvHeads");
    int width = export.size("headDim");
    float[] keys = export.array("keys." + layer);
    float[] expected = new float[length * kvHeads * width];
    for (int token = 0; token < length; token++) {
      for (int head = 0; head < kvHeads; head++) {
        System.arraycopy(
            keys,
            (head * tokens + start + token) * width,
            expected,
            (token * kvHeads + head) * width,
            width);
      }
    }
    assertThat(seen.get(TapNames.output(Observe.keys(layer))))
        .as("keys of layer %d", layer)
        .containsExactly(expected, offset(export.within(1e-3f)));
  }

  @ParameterizedTest
  @MethodSource("secondHalf")
  void aPrunedRunIsThatOfPyTorch(ExportFixture export) {
    assertPrunedRuns(export, Seam.GATHER);
  }

  /** Each kept visual token goes through the mix, alone. */
  @ParameterizedTest
  @MethodSource("seventhEighth")
  void soIsOneWhoseTokensAreMadeAnew(ExportFixture export) {
    assertPrunedRuns(export, Seam.MERGE);
  }

  private void assertPrunedRuns(ExportFixture export, Seam seam) {
    assumeTrue(export.hasReference(), "PyTorch computed nothing for it");
    DecoderGraph decoder = new DecoderGraph(OnnxGraph.read(export.graph()));
    JsonNode cases = export.json().get("pruned");
    for (int i = 0; i < cases.size(); i++) {
      if (!Share.has(i + export.name().hashCode() + seam.ordinal(), 4)) {
        continue;
      }
      int layer = cases.get(i).get("layer").asInt();
      boolean original = cases.get(i).get("policy").asText().equals("original");
      List<Expression> taps = List.of(attention(layer - 1, Heads.AVERAGED));
      List<SegmentSpec> specs =
          List.of(
              new SegmentSpec(0, layer, Seam.NONE, false, taps),
              new SegmentSpec(layer, export.size("layers"), seam, original, List.of()));
      List<float[]> logits = new ArrayList<>();
      try (Split split = new Split(export, decoder, specs)) {
        split.run(Map.of(1, cases.get(i)), Set.of(23), logits);
      }
      int width = export.size("vocabulary");
      float[] expected = export.array("pruned.%d.logits".formatted(i));
      for (int step = 0; step <= STEPS; step++) {
        assertThat(logits.get(step))
            .as("%s at step %d", cases.get(i), step)
            .containsExactly(
                ExportFixture.row(expected, step, width), offset(export.within(1e-3f)));
      }
    }
  }

  /** A decoder in segments, fed with the fixture's prompt and steps. */
  private final class Split implements AutoCloseable {
    private final ExportFixture export;
    private final DecoderGraph decoder;
    private final SplitDecoder parts;
    private final ModelConfig.Text sizes;
    private final TensorScope scope = sessions.scope();
    private final List<SegmentState> states = new ArrayList<>();

    Split(ExportFixture export, DecoderGraph decoder, List<SegmentSpec> specs) {
      this.export = export;
      this.decoder = decoder;
      this.parts = new SplitDecoder(sessions, decoder, specs);
      sizes =
          new ModelConfig.Text(
              export.size("layers"),
              export.size("hidden"),
              export.size("heads"),
              export.size("kvHeads"),
              export.size("headDim"),
              1,
              export.size("vocabulary"),
              10_000);
      parts.list().forEach(part -> states.add(new SegmentState(part, sizes, scope.newScope())));
    }

    Map<String, float[]> run(
        Map<Integer, JsonNode> seams, Set<Integer> queries, List<float[]> logits) {
      Map<String, float[]> seen = new HashMap<>();
      RotaryPositions steps = UnsplitRun.positions(export, "decodePositions");
      long[] next = new long[states.size()];
      Arrays.fill(next, -1);
      logits.add(prefill(seams, new TreeSet<>(queries), seen, next));
      int hidden = export.size("hidden");
      float[] embeds = export.array("decodeEmbeds");
      for (int step = 0; step < STEPS; step++) {
        try (TensorScope pass = scope.newScope()) {
          List<OnnxTensor> flow =
              List.of(UnsplitRun.embeds(pass, ExportFixture.row(embeds, step, hidden), hidden));
          for (int i = 0; i < states.size(); i++) {
            RotaryPositions position =
                next[i] < 0
                    ? steps.gathered(new int[] {step})
                    : RotaryPositions.consecutive(next[i]++, 1, decoder.positions().rows());
            flow =
                states
                    .get(i)
                    .run(
                        pass,
                        new SegmentState.Input(
                            flow,
                            position,
                            new long[1],
                            new int[] {0},
                            MergeMatrix.NONE,
                            Optional.empty()))
                    .hidden();
          }
          logits.add(UnsplitRun.lastRow(flow.get(0), export));
        }
      }
      return seen;
    }

    Map<String, float[]> ahead(int layer, int[] queries, int[] columns) {
      RotaryPositions positions = UnsplitRun.positions(export, "positions");
      int[] all = IntStream.range(0, export.size("tokens")).toArray();
      long[] types = new long[all.length];
      Arrays.stream(columns).forEach(column -> types[column] = 1);
      Map<String, float[]> seen = new HashMap<>();
      try (TensorScope pass = scope.newScope();
          SegmentState lookahead =
              new SegmentState(parts.lookahead(layer).orElseThrow(), sizes, scope.newScope())) {
        List<OnnxTensor> embeds =
            List.of(UnsplitRun.embeds(pass, export.array("embeds"), export.size("hidden")));
        List<OnnxTensor> hidden =
            states.get(0).run(pass, input(embeds, positions, types, all, NONE, NONE)).hidden();
        lookahead
            .run(pass, input(hidden, positions, types, all, queries, columns))
            .taps()
            .forEach((name, tensor) -> seen.put(name, UnsplitRun.floats(tensor)));
      }
      return seen;
    }

    private static SegmentState.Input input(
        List<OnnxTensor> hidden,
        RotaryPositions positions,
        long[] types,
        int[] all,
        int[] queries,
        int[] columns) {
      return new SegmentState.Input(
          hidden,
          positions,
          types,
          all,
          MergeMatrix.NONE,
          columns.length == 0
              ? Optional.empty()
              : Optional.of(new ChosenRows(queries, columns, NONE)));
    }

    private static MergeMatrix alone(int[] rows) {
      float[] weights = new float[rows.length * rows.length];
      for (int i = 0; i < rows.length; i++) {
        weights[i * rows.length + i] = 1;
      }
      return new MergeMatrix(rows, weights);
    }

    private float[] prefill(
        Map<Integer, JsonNode> seams,
        SortedSet<Integer> queries,
        Map<String, float[]> seen,
        long[] next) {
      int start = export.size("visualStart");
      int length = export.size("visualLength");
      int[] rows = IntStream.range(0, export.size("tokens")).toArray();
      RotaryPositions positions = UnsplitRun.positions(export, "positions");
      try (TensorScope pass = scope.newScope()) {
        List<OnnxTensor> flow =
            List.of(UnsplitRun.embeds(pass, export.array("embeds"), export.size("hidden")));
        for (int i = 0; i < states.size(); i++) {
          int[] keep = IntStream.range(0, rows.length).toArray();
          RotaryPositions arriving = positions;
          MergeMatrix mix = MergeMatrix.NONE;
          if (seams.containsKey(i)) {
            List<Long> kept = ExportFixture.stream(seams.get(i).get("keepVisual")).boxed().toList();
            int[] all = rows;
            keep =
                IntStream.range(0, rows.length)
                    .filter(
                        r ->
                            all[r] < start
                                || all[r] >= start + length
                                || kept.contains((long) all[r] - start))
                    .toArray();
            if (parts.list().get(i).spec().seam() == Seam.MERGE) {
              int[] visual =
                  Arrays.stream(keep)
                      .filter(r -> all[r] >= start && all[r] < start + length)
                      .toArray();
              mix = alone(visual);
              for (int k = 0; k < keep.length; k++) {
                int at = Arrays.binarySearch(visual, keep[k]);
                keep[k] = at < 0 ? keep[k] : all.length + at;
              }
              rows = Arrays.copyOf(all, all.length + visual.length);
              for (int k = 0; k < visual.length; k++) {
                rows[all.length + k] = all[visual[k]];
              }
              positions = positions.extended(visual);
              arriving = positions;
            }
            if (seams.get(i).get("policy").asText().equals("compacted")) {
              arriving = positions.compactedFor(keep);
              Arrays.fill(next, i, next.length, keep.length);
            }
          }
          long[] types =
              Arrays.stream(rows)
                  .mapToLong(r -> r >= start && r < start + length ? 1 : 0)
                  .toArray();
          boolean tapped = !parts.list().get(i).spec().taps().isEmpty();
          ChosenRows chosen =
              new ChosenRows(
                  queries.stream().mapToInt(q -> q).toArray(),
                  IntStream.range(start, start + length).toArray(),
                  IntStream.rangeClosed(TEXT[0], TEXT[1]).toArray());
          SegmentState.Output out =
              states
                  .get(i)
                  .run(
                      pass,
                      new SegmentState.Input(
                          flow,
                          arriving,
                          types,
                          keep,
                          mix,
                          tapped ? Optional.of(chosen) : Optional.empty()));
          out.taps().forEach((name, tensor) -> seen.put(name, UnsplitRun.floats(tensor)));
          flow = out.hidden();
          positions = arriving.gathered(keep);
          int[] before = rows;
          rows = Arrays.stream(keep).map(r -> before[r]).toArray();
        }
        return UnsplitRun.lastRow(flow.get(0), export);
      }
    }

    @Override
    public void close() {
      states.forEach(SegmentState::close);
      scope.close();
      parts.close();
    }
  }
}
