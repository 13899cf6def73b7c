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
import dev.squint.engine.internal.session.UnsplitRun;
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
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SiteContext;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
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

  private static final int SPLIT = 2;

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

  static Stream<ExportFixture> secondEighth() {
    return ExportFixture.share("decoder", 1, 8);
  }

  static Stream<ExportFixture> fourthEighth() {
    return ExportFixture.share("decoder", 3, 8);
  }

  static Stream<ExportFixture> sixthEighth() {
    return ExportFixture.share("decoder", 5, 8);
  }

  static Stream<ExportFixture> lastEighth() {
    return ExportFixture.share("decoder", 7, 8);
  }

  @AfterEach
  void nothingIsLeftOpen() {
    assertThat(sessions.aliveTensors()).hasValue(0);
  }

  /** Against a run that is given the sums, computed by hand, as if they had arrived. */
  @ParameterizedTest
  @MethodSource("secondEighth")
  void aMixIsTheSumOfWhatArrives(ExportFixture export) {
    Expression states = Observe.hiddenStates(SPLIT);
    int layers = export.size("layers");
    try (Parts parts =
        new Parts(
            export,
            new SegmentSpec(0, SPLIT, Seam.NONE, false, List.of(states)),
            new SegmentSpec(SPLIT, layers, Seam.MERGE, true, List.of(states)))) {
      PositionedTokens arriving = parts.prompt();
      Seen below = parts.run(0, parts.embeds(), arriving.unchanged());
      float[] rows = below.taps().get(TapNames.output(states));
      SeamRows seam = through(arriving, parts.layout(), MERGING, PositionPolicy.ORIGINAL);
      Seen mixed = parts.run(1, below.hidden(), seam);
      float[] sums = byHand(seam, rows, export.size("hidden"));
      assertThat(mixed.taps().get(TapNames.output(states)))
          .containsExactly(sums, offset(export.within(1e-5f)));
      Seen byHand = parts.run(1, parts.hidden(1, sums), seam.left().unchanged());
      assertThat(mixed.logits()).containsExactly(byHand.logits(), offset(export.within(1e-5f)));
      List<OnnxTensor> next = parts.next(below);
      assertThat(parts.step(mixed, next)).containsExactly(parts.step(byHand, next), within(export));
    }
  }

  @ParameterizedTest
  @MethodSource("fourthEighth")
  void aSeamThatMayMergeButDoesNotOnlyDrops(ExportFixture export) {
    int layers = export.size("layers");
    try (Parts parts =
        new Parts(
            export,
            SegmentSpec.of(0, SPLIT),
            new SegmentSpec(SPLIT, layers, Seam.MERGE, true, List.of()),
            new SegmentSpec(SPLIT, layers, Seam.GATHER, true, List.of()))) {
      PositionedTokens arriving = parts.prompt();
      Seen below = parts.run(0, parts.embeds(), arriving.unchanged());
      SeamRows seam =
          through(
              arriving,
              parts.layout(),
              Selection.of(new int[] {0, 3, 7, 12}),
              PositionPolicy.ORIGINAL);
      Seen merging = parts.run(1, below.hidden(), seam);
      Seen plain = parts.run(2, below.hidden(), seam);
      assertThat(merging.logits()).containsExactly(plain.logits(), within(export));
      List<OnnxTensor> next = parts.next(below);
      assertThat(parts.step(merging, next))
          .containsExactly(parts.step(plain, next), within(export));
    }
  }

  /** Tokens that stand in another order than in the prompt, with positions of either kind. */
  @ParameterizedTest
  @MethodSource("sixthEighth")
  void attentionAheadOfALayerIsThatOfTheLayerAfterASeam(ExportFixture export) {
    int layers = export.size("layers");
    List<Expression> attention =
        List.of(
            Observe.textToVisualAttention(SPLIT, Rows.TEXT),
            Observe.textToVisualAttention(SPLIT, Rows.TEXT, Heads.EACH));
    for (boolean original : new boolean[] {true, false}) {
      try (Parts parts =
          new Parts(
              export,
              SegmentSpec.of(0, 1),
              new SegmentSpec(1, SPLIT, Seam.MERGE, original, List.of()),
              new SegmentSpec(SPLIT, layers, Seam.NONE, original, attention),
              SegmentSpec.lookahead(SPLIT, attention, original))) {
        PositionedTokens arriving = parts.prompt();
        List<OnnxTensor> hidden = parts.run(0, parts.embeds(), arriving.unchanged()).hidden();
        SeamRows seam =
            through(
                arriving,
                parts.layout(),
                MERGING,
                original ? PositionPolicy.ORIGINAL : PositionPolicy.COMPACTED);
        hidden = parts.run(1, hidden, seam).hidden();
        SeamRows there = seam.left().unchanged();
        Map<String, float[]> ahead = parts.lookahead(SPLIT, hidden, there);
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
  @MethodSource("lastEighth")
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
      PositionedTokens arriving = parts.prompt();
      Map<String, float[]> seen = parts.run(0, parts.embeds(), arriving.unchanged()).taps();
      int[] text = arriving.live().rows(Rows.TEXT_AFTER_VISUAL);
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

  private static SeamRows through(
      PositionedTokens arriving, TokenLayout layout, Selection selection, PositionPolicy policy) {
    SiteContext context = SiteContext.whole(new Site.BeforeLayer(1), layout, 0);
    return arriving.reduced(TokenReduction.of(context, selection), policy);
  }

  /** The rows that go on, with sums computed one by one. */
  private static float[] byHand(SeamRows seam, float[] rows, int width) {
    int arrived = rows.length / width;
    int[] kept = seam.keptRows();
    int[] sources = seam.merges().sources();
    float[] made = new float[kept.length * width];
    for (int i = 0; i < kept.length; i++) {
      for (int column = 0; column < width; column++) {
        double sum = 0;
        for (int j = 0; j < sources.length && kept[i] >= arrived; j++) {
          float weight = seam.merges().weights()[(kept[i] - arrived) * sources.length + j];
          sum += weight * rows[sources[j] * width + column];
        }
        made[i * width + column] = kept[i] < arrived ? rows[kept[i] * width + column] : (float) sum;
      }
    }
    return made;
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

    TokenLayout layout() {
      int side = (int) Math.sqrt(export.size("visualLength"));
      return new TokenLayout(
          export.size("tokens"),
          List.of(new VisualSpan(0, 0, export.size("visualStart"), side * side, side, side)));
    }

    PositionedTokens prompt() {
      RotaryPositions positions = UnsplitRun.positions(export, "positions");
      return new PositionedTokens(LiveTokens.of(layout()), positions, positions.next());
    }

    List<OnnxTensor> embeds() {
      return List.of(UnsplitRun.embeds(scope, export.array("embeds"), export.size("hidden")));
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

    Seen run(int segment, List<OnnxTensor> hidden, SeamRows seam) {
      return run(open.list().get(segment), hidden, seam);
    }

    Map<String, float[]> lookahead(int layer, List<OnnxTensor> hidden, SeamRows seam) {
      return run(open.lookahead(layer).orElseThrow(), hidden, seam).taps();
    }

    private Seen run(SplitDecoder.Segment part, List<OnnxTensor> hidden, SeamRows seam) {
      SegmentState state = new SegmentState(part, sizes, scope.newScope());
      states.add(state);
      LiveTokens live = seam.left().live();
      int last = seam.keptRows().length - 1;
      boolean wantsAll = part.spec().taps().contains(Observe.hiddenStates(SPLIT).unnamed());
      int[] columns = wantsAll ? IntStream.rangeClosed(0, last).toArray() : live.visualRows();
      SegmentState.Output out =
          state.run(
              scope,
              SegmentState.Input.of(
                  hidden,
                  seam,
                  Optional.of(
                      new ChosenRows(
                          new int[] {1, last - 1, last},
                          columns,
                          live.rows(Rows.TEXT_AFTER_VISUAL)))));
      Map<String, float[]> taps = new HashMap<>();
      out.taps().forEach((name, tensor) -> taps.put(name, UnsplitRun.floats(tensor)));
      boolean ends = part.isLast() && !part.spec().lookahead();
      float[] logits = ends ? UnsplitRun.lastRow(out.hidden().get(0), export) : new float[0];
      return new Seen(out.hidden(), logits, taps, state);
    }

    /** The first generated token after a segment that ran the prompt. */
    List<OnnxTensor> next(Seen prefilled) {
      float[] token = ExportFixture.row(export.array("decodeEmbeds"), 0, export.size("hidden"));
      return next(prefilled, List.of(UnsplitRun.embeds(scope, token, token.length)));
    }

    private List<OnnxTensor> next(Seen prefilled, List<OnnxTensor> hidden) {
      RotaryPositions position =
          UnsplitRun.positions(export, "decodePositions").gathered(new int[] {0});
      int[] only = {0};
      return prefilled
          .state()
          .run(
              scope,
              new SegmentState.Input(
                  hidden, position, new long[1], only, MergeMatrix.NONE, Optional.empty()))
          .hidden();
    }

    float[] step(Seen prefilled, List<OnnxTensor> hidden) {
      return UnsplitRun.lastRow(next(prefilled, hidden).get(0), export);
    }

    @Override
    public void close() {
      states.forEach(SegmentState::close);
      scope.close();
      open.close();
    }
  }
}
