package dev.squint.engine.internal.tokens;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.platform.Fp16Conversions;
import dev.squint.engine.internal.generate.ChosenRows;
import dev.squint.engine.internal.generate.SegmentState;
import dev.squint.engine.internal.ort.Device;
import dev.squint.engine.internal.ort.OrtRuntime;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.engine.internal.session.SessionFactory;
import dev.squint.engine.internal.session.SplitDecoder;
import dev.squint.engine.internal.session.UncutRun;
import dev.squint.engine.options.ExecutionProvider;
import dev.squint.fixtures.ExportFixture;
import dev.squint.onnx.config.ModelConfig;
import dev.squint.onnx.internal.decoder.DecoderGraph;
import dev.squint.onnx.internal.decoder.Seam;
import dev.squint.onnx.internal.decoder.SegmentSpec;
import dev.squint.onnx.internal.graph.OnnxGraph;
import dev.squint.onnx.internal.observe.TapNames;
import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.layout.VisualSpan;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Heads;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.site.MergedToken;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SiteContext;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every decoder export with a seam at which tokens leave, are made of several and change places.
 */
class SeamMatrixTest {

  private static final int CUT = 2;

  /** Token 3 is made anew in its place; 1 has left and comes back after the last one. */
  private static final Selection MERGING =
      Selection.of(new int[] {0, 3, 7, 12})
          .withMerged(
              List.of(
                  new MergedToken(1, new int[] {1, 2, 15}, new float[] {0.25f, -0.5f, 1.5f}),
                  new MergedToken(3, new int[] {8, 3}, new float[] {0.7f, 0.3f})));

  private final OrtRuntime runtime = OrtRuntime.get(1);
  private final SessionFactory sessions =
      new SessionFactory(
          runtime, Device.resolve(new ExecutionProvider.Cpu(), runtime), 1, new AtomicInteger());

  static Stream<ExportFixture> decoders() {
    return ExportFixture.all("decoder").stream();
  }

  @AfterEach
  void nothingIsLeftOpen() {
    assertThat(sessions.aliveTensors()).hasValue(0);
  }

  /** Against a run that is given the sums, computed by hand, as if they had arrived. */
  @ParameterizedTest
  @MethodSource("decoders")
  void aMixIsTheSumOfWhatArrives(ExportFixture export) {
    Expression states = Observe.hiddenStates(CUT);
    int layers = export.size("layers");
    try (Parts parts =
        new Parts(
            export,
            new SegmentSpec(0, CUT, Seam.NONE, false, List.of(states)),
            new SegmentSpec(CUT, layers, Seam.MERGE, true, List.of(states)))) {
      Tokens arriving = parts.prompt();
      Seen below = parts.run(0, parts.embeds(), arriving.asTheyAre());
      float[] rows = below.taps().get(TapNames.output(states));
      Tokens.Going going = arriving.through(MERGING);
      Seen mixed = parts.run(1, below.hidden(), going);
      float[] sums = going.byHand(rows, export.size("hidden"));
      assertThat(mixed.taps().get(TapNames.output(states)))
          .containsExactly(sums, offset(export.within(1e-5f)));
      Seen byHand = parts.run(1, parts.hidden(1, sums), going.tokens().asTheyAre());
      assertThat(mixed.logits()).containsExactly(byHand.logits(), offset(export.within(1e-5f)));
      List<OnnxTensor> next = parts.next(below);
      assertThat(parts.step(mixed, next)).containsExactly(parts.step(byHand, next), within(export));
    }
  }

  @ParameterizedTest
  @MethodSource("decoders")
  void aSeamThatMayMergeButDoesNotOnlyDrops(ExportFixture export) {
    int layers = export.size("layers");
    try (Parts parts =
        new Parts(
            export,
            SegmentSpec.of(0, CUT),
            new SegmentSpec(CUT, layers, Seam.MERGE, true, List.of()),
            new SegmentSpec(CUT, layers, Seam.GATHER, true, List.of()))) {
      Tokens arriving = parts.prompt();
      Seen below = parts.run(0, parts.embeds(), arriving.asTheyAre());
      Tokens.Going going = arriving.through(Selection.of(new int[] {0, 3, 7, 12}));
      Seen merging = parts.run(1, below.hidden(), going);
      Seen plain = parts.run(2, below.hidden(), going);
      assertThat(merging.logits()).containsExactly(plain.logits(), within(export));
      List<OnnxTensor> next = parts.next(below);
      assertThat(parts.step(merging, next))
          .containsExactly(parts.step(plain, next), within(export));
    }
  }

  /** Tokens that stand in another order than in the prompt, with positions of either kind. */
  @ParameterizedTest
  @MethodSource("decoders")
  void attentionAheadOfALayerIsThatOfTheLayerAfterASeam(ExportFixture export) {
    int layers = export.size("layers");
    List<Expression> attention =
        List.of(
            Observe.textToVisualAttention(CUT, Rows.TEXT),
            Observe.textToVisualAttention(CUT, Rows.TEXT, Heads.EACH));
    for (boolean original : new boolean[] {true, false}) {
      try (Parts parts =
          new Parts(
              export,
              SegmentSpec.of(0, 1),
              new SegmentSpec(1, CUT, Seam.MERGE, original, List.of()),
              new SegmentSpec(CUT, layers, Seam.NONE, original, attention),
              SegmentSpec.probe(CUT, attention, original))) {
        Tokens arriving = parts.prompt();
        List<OnnxTensor> hidden = parts.run(0, parts.embeds(), arriving.asTheyAre()).hidden();
        Tokens.Going going = arriving.through(MERGING);
        going = original ? going : going.compacted();
        hidden = parts.run(1, hidden, going).hidden();
        Tokens.Going there = going.tokens().asTheyAre();
        Map<String, float[]> ahead = parts.probe(CUT, hidden, there);
        Map<String, float[]> after = parts.run(2, hidden, there).taps();
        assertThat(ahead).containsOnlyKeys(after.keySet());
        after.forEach(
            (name, map) ->
                assertThat(ahead.get(name)).as(name).containsExactly(map, within(export)));
      }
    }
  }

  /** Rows of text, chosen apart from those of visual tokens. */
  @ParameterizedTest
  @MethodSource("decoders")
  void keysAndStatesOfTextAreThoseOfPyTorch(ExportFixture export) {
    if (!export.hasReference()) {
      return;
    }
    int layers = export.size("layers");
    List<Expression> taps = new ArrayList<>();
    for (int layer = 0; layer < layers; layer++) {
      taps.add(Observe.keys(layer, Rows.TEXT_AFTER_VISUAL));
      taps.add(Observe.hiddenStates(layer, Rows.TEXT_AFTER_VISUAL, false));
    }
    try (Parts parts = new Parts(export, new SegmentSpec(0, layers, Seam.NONE, false, taps))) {
      Tokens arriving = parts.prompt();
      Map<String, float[]> seen = parts.run(0, parts.embeds(), arriving.asTheyAre()).taps();
      int[] text = arriving.text();
      int hidden = export.size("hidden");
      int heads = export.size("kvHeads");
      int width = export.size("headDim");
      for (int layer = 0; layer < layers; layer++) {
        float[] states = export.array("hidden." + layer);
        float[] keys = export.array("keys." + layer);
        float[] someStates = new float[text.length * hidden];
        float[] someKeys = new float[text.length * heads * width];
        for (int i = 0; i < text.length; i++) {
          System.arraycopy(states, text[i] * hidden, someStates, i * hidden, hidden);
          for (int head = 0; head < heads; head++) {
            int from = (head * export.size("tokens") + text[i]) * width;
            System.arraycopy(keys, from, someKeys, (i * heads + head) * width, width);
          }
        }
        assertThat(seen.get(TapNames.output(Observe.keys(layer, Rows.TEXT_AFTER_VISUAL))))
            .containsExactly(someKeys, offset(export.within(1e-3f)));
        assertThat(
                seen.get(
                    TapNames.output(Observe.hiddenStates(layer, Rows.TEXT_AFTER_VISUAL, false))))
            .containsExactly(someStates, offset(export.within(1e-3f) * 3));
      }
    }
  }

  private static Offset<Float> within(ExportFixture export) {
    return offset(export.within(1e-5f));
  }

  /** Tokens on their way. */
  private record Tokens(LiveTokens rows, RotaryPositions positions, TokenLayout layout) {

    /** What enters a segment, and the tokens it then holds. */
    record Going(
        Tokens tokens, RotaryPositions arriving, long[] types, int[] keep, TokenReduction.Mix mix) {

      Going compacted() {
        RotaryPositions compacted = arriving.compactedFor(keep);
        return new Going(
            new Tokens(tokens.rows, compacted.gathered(keep), tokens.layout),
            compacted,
            types,
            keep,
            mix);
      }

      float[] byHand(float[] rows, int width) {
        int arrived = rows.length / width;
        int sources = mix.sources().length;
        float[] made = new float[keep.length * width];
        for (int i = 0; i < keep.length; i++) {
          for (int column = 0; column < width; column++) {
            double sum = 0;
            for (int j = 0; j < sources && keep[i] >= arrived; j++) {
              float weight = mix.weights()[(keep[i] - arrived) * sources + j];
              sum += weight * rows[mix.sources()[j] * width + column];
            }
            made[i * width + column] =
                keep[i] < arrived ? rows[keep[i] * width + column] : (float) sum;
          }
        }
        return made;
      }
    }

    Going asTheyAre() {
      int[] all = IntStream.range(0, rows.count()).toArray();
      return new Going(this, positions, rows.types(), all, TokenReduction.Mix.NONE);
    }

    Going through(Selection selection) {
      SiteContext context = SiteContext.whole(new Site.BeforeLayer(1), layout, 0);
      TokenReduction passage = TokenReduction.of(context, selection);
      int[] keep = rows.rowsOf(passage);
      int[] visual = rows.visualRows();
      int[] origins = Arrays.stream(passage.origins()).map(origin -> visual[origin]).toArray();
      LiveTokens extended = rows.extended(origins);
      RotaryPositions arriving = positions.extended(origins);
      return new Going(
          new Tokens(extended.select(keep), arriving.gathered(keep), layout),
          arriving,
          extended.types(),
          keep,
          passage.mix().at(visual));
    }

    int[] text() {
      return rows.rows(Rows.TEXT_AFTER_VISUAL);
    }
  }

  /** What came out of a segment. */
  private record Seen(
      List<OnnxTensor> hidden, float[] logits, Map<String, float[]> taps, SegmentState state) {}

  /** Loaded segments of one export. */
  private final class Parts implements AutoCloseable {
    private final ExportFixture export;
    private final DecoderGraph decoder;
    private final SplitDecoder open;
    private final ModelConfig.Text sizes;
    private final TensorScope scope = sessions.scope();
    private final List<SegmentState> states = new ArrayList<>();

    Parts(ExportFixture export, SegmentSpec... specs) {
      this.export = export;
      decoder = new DecoderGraph(OnnxGraph.read(export.graph()));
      open = new SplitDecoder(sessions, decoder, List.of(specs));
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
    }

    Tokens prompt() {
      int side = (int) Math.sqrt(export.size("visualLength"));
      TokenLayout layout =
          new TokenLayout(
              export.size("tokens"),
              List.of(new VisualSpan(0, 0, export.size("visualStart"), side * side, side, side)));
      return new Tokens(LiveTokens.of(layout), UncutRun.positions(export, "positions"), layout);
    }

    List<OnnxTensor> embeds() {
      return List.of(UncutRun.embeds(scope, export.array("embeds"), export.size("hidden")));
    }

    /** Hidden states for a segment; the norm that may come with them is left to the seam. */
    List<OnnxTensor> hidden(int segment, float[] sums) {
      SplitDecoder.Segment part = open.list().get(segment);
      List<OnnxTensor> tensors = new ArrayList<>();
      for (String input : part.hiddenInputs()) {
        boolean last = tensors.size() == part.hiddenInputs().size() - 1;
        tensors.add(typed(part.session().inputType(input), last ? sums : new float[sums.length]));
      }
      return tensors;
    }

    private OnnxTensor typed(OnnxJavaType type, float[] values) {
      long width = export.size("hidden");
      if (type != OnnxJavaType.FLOAT16) {
        return scope.floats(FloatBuffer.wrap(values), 1, values.length / width, width);
      }
      ByteBuffer halves =
          ByteBuffer.allocateDirect(values.length * Short.BYTES).order(ByteOrder.nativeOrder());
      for (float value : values) {
        halves.putShort(Fp16Conversions.floatToFp16(value));
      }
      return scope.bytes(type, halves.flip(), 1, values.length / width, width);
    }

    Seen run(int segment, List<OnnxTensor> hidden, Tokens.Going going) {
      return run(open.list().get(segment), hidden, going);
    }

    Map<String, float[]> probe(int layer, List<OnnxTensor> hidden, Tokens.Going going) {
      return run(open.probe(layer).orElseThrow(), hidden, going).taps();
    }

    private Seen run(SplitDecoder.Segment part, List<OnnxTensor> hidden, Tokens.Going going) {
      SegmentState state = new SegmentState(part, sizes, scope.sibling());
      states.add(state);
      int last = going.keep().length - 1;
      boolean wantsAll = part.spec().taps().contains(Observe.hiddenStates(CUT).unnamed());
      int[] columns =
          wantsAll ? IntStream.rangeClosed(0, last).toArray() : going.tokens().rows().visualRows();
      SegmentState.Output out =
          state.run(
              scope,
              new SegmentState.Input(
                  hidden,
                  going.arriving(),
                  going.types(),
                  going.keep(),
                  going.mix(),
                  Optional.of(
                      new ChosenRows(
                          new int[] {1, last - 1, last}, columns, going.tokens().text()))));
      Map<String, float[]> taps = new HashMap<>();
      out.taps().forEach((name, tensor) -> taps.put(name, UncutRun.floats(tensor)));
      boolean ends = part.isLast() && !part.spec().probe();
      float[] logits = ends ? UncutRun.lastRow(out.hidden().get(0), export) : new float[0];
      return new Seen(out.hidden(), logits, taps, state);
    }

    /** The first generated token after a segment that ran the prompt. */
    List<OnnxTensor> next(Seen prefilled) {
      float[] token = ExportFixture.row(export.array("decodeEmbeds"), 0, export.size("hidden"));
      return next(prefilled, List.of(UncutRun.embeds(scope, token, token.length)));
    }

    private List<OnnxTensor> next(Seen prefilled, List<OnnxTensor> hidden) {
      RotaryPositions position =
          UncutRun.positions(export, "decodePositions").gathered(new int[] {0});
      int[] only = {0};
      return prefilled
          .state()
          .run(
              scope,
              new SegmentState.Input(
                  hidden, position, new long[1], only, TokenReduction.Mix.NONE, Optional.empty()))
          .hidden();
    }

    float[] step(Seen prefilled, List<OnnxTensor> hidden) {
      return UncutRun.lastRow(next(prefilled, hidden).get(0), export);
    }

    @Override
    public void close() {
      states.forEach(SegmentState::close);
      scope.close();
      open.close();
    }
  }
}
