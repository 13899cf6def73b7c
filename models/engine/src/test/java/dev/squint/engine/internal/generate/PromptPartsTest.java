package dev.squint.engine.internal.generate;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OnnxTensor;
import dev.squint.engine.internal.ort.Device;
import dev.squint.engine.internal.ort.OrtRuntime;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.engine.internal.session.EmbeddedModel;
import dev.squint.engine.internal.session.SessionFactory;
import dev.squint.engine.internal.session.SplitDecoder;
import dev.squint.engine.internal.session.UnsplitRun;
import dev.squint.engine.internal.tokens.PositionedTokens;
import dev.squint.engine.options.ExecutionProvider;
import dev.squint.onnx.config.ModelConfig;
import dev.squint.onnx.internal.decoder.DecoderGraph;
import dev.squint.onnx.internal.decoder.Seam;
import dev.squint.onnx.internal.decoder.SegmentSpec;
import dev.squint.onnx.internal.graph.OnnxGraph;
import dev.squint.onnx.internal.observe.TapNames;
import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.layout.VisualSpan;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Place;
import dev.squint.pruning.observe.Rows;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A long prompt in parts: hidden states, what is observed and the cache are those of one run. */
class PromptPartsTest {

  private static final int WIDTH = 128;
  private static final int VISUAL_START = 5;

  private static final Expression LAST = Observe.textToVisualAttention(2, Rows.LAST);
  private static final Expression QUESTION =
      Observe.textToVisualAttention(2, Rows.TEXT_AFTER_VISUAL);
  private static final Expression FIRST = Observe.textToVisualAttention(2, Rows.FIRST_AFTER_VISUAL);
  private static final Expression EARLIER = Observe.textToVisualAttention(0, Rows.LAST);

  @TempDir Path cache;

  private final OrtRuntime runtime = OrtRuntime.get(1);
  private final SessionFactory sessions =
      new SessionFactory(
          runtime, Device.resolve(new ExecutionProvider.Cpu(), runtime), 1, new AtomicInteger());

  @AfterEach
  void nothingIsLeftOpen() {
    assertThat(sessions.aliveTensors()).hasValue(0);
  }

  private SplitDecoder decoder(Expression... taps) {
    Path file =
        new EmbeddedModel("squint-tiny").unpack(cache).resolve("onnx/decoder_model_merged.onnx");
    SegmentSpec observed = new SegmentSpec(0, 3, Seam.NONE, true, List.of(taps));
    SegmentSpec others = new SegmentSpec(3, 8, Seam.GATHER, true, List.of());
    return new SplitDecoder(
        sessions, new DecoderGraph(OnnxGraph.read(file)), List.of(observed, others));
  }

  private static SplitDecoder.Segment whole(SplitDecoder.Segment of) {
    return new SplitDecoder.Segment(
        of.session(),
        of.spec(),
        of.hiddenInputs(),
        of.hiddenOutputs(),
        of.picker(),
        of.joiner(),
        of.steps(),
        false);
  }

  /** By name, and the hidden states and logits of the prompt and of a step after it. */
  private Map<String, float[]> run(
      SplitDecoder.Segment first, SplitDecoder.Segment second, int visual, int question) {
    int length = VISUAL_START + visual + question;
    PositionedTokens tokens =
        PositionedTokens.of(
            new TokenLayout(length, List.of(new VisualSpan(0, VISUAL_START, visual, 1, visual))),
            1);
    Random random = new Random(7);
    float[] embeds = new float[length * WIDTH];
    float[] next = new float[WIDTH];
    for (float[] numbers : List.of(embeds, next)) {
      for (int i = 0; i < numbers.length; i++) {
        numbers[i] = (float) random.nextGaussian();
      }
    }
    ModelConfig.Text sizes = new ModelConfig.Text(8, WIDTH, 4, 2, 32, 384, 640, 10_000);
    Map<String, float[]> found = new HashMap<>();
    try (TensorScope scope = sessions.scope();
        SegmentState lower = new SegmentState(first, sizes, scope.newScope());
        SegmentState upper = new SegmentState(second, sizes, scope.newScope())) {
      OnnxTensor entering = scope.floats(FloatBuffer.wrap(embeds), 1, length, WIDTH);
      SegmentState.Output hidden =
          lower.run(
              scope,
              SegmentState.Input.of(
                  List.of(entering), tokens.unchanged(), Optional.of(tokens.live()::rows)));
      hidden.taps().forEach((name, tap) -> found.put(name, UnsplitRun.floats(tap)));
      for (int i = 0; i < hidden.hidden().size(); i++) {
        assertThat(hidden.hidden().get(i).getInfo().getShape()).containsExactly(1, length, WIDTH);
        found.put("hidden " + i, UnsplitRun.floats(hidden.hidden().get(i)));
      }
      SegmentState.Output logits =
          upper.run(
              scope, SegmentState.Input.of(hidden.hidden(), tokens.unchanged(), Optional.empty()));
      found.put("logits", UnsplitRun.floats(logits.hidden().get(0)));
      lower.startDecodingAt(tokens.next());
      upper.startDecodingAt(tokens.next());
      OnnxTensor token = scope.floats(FloatBuffer.wrap(next), 1, 1, WIDTH);
      List<OnnxTensor> stepped = lower.step(scope, List.of(token), 1).hidden();
      found.put("step", UnsplitRun.floats(upper.step(scope, stepped, 1).hidden().get(0)));
    }
    return found;
  }

  /** Of the last, the question asks from before the last part, so that it runs in one. */
  @ParameterizedTest
  @CsvSource({"1300, 20", "800, 1", "700, 600"})
  void partsComputeWhatOneRunComputes(int visual, int question) {
    try (SplitDecoder open = decoder(LAST, QUESTION, FIRST, EARLIER)) {
      SplitDecoder.Segment first = open.list().get(0);
      SplitDecoder.Segment second = open.list().get(1);
      assertThat(first.inParts()).isTrue();
      Map<String, float[]> parts = run(first, second, visual, question);
      Map<String, float[]> one = run(whole(first), whole(second), visual, question);
      assertThat(parts).containsOnlyKeys(one.keySet());
      assertThat(one)
          .containsKeys(
              TapNames.output(LAST),
              TapNames.output(QUESTION),
              TapNames.output(FIRST),
              TapNames.output(EARLIER));
      one.forEach(
          (name, numbers) ->
              assertThat(distance(parts.get(name), numbers)).as(name).isLessThan(2e-4f));
    }
  }

  private static float distance(float[] one, float[] other) {
    assertThat(one).hasSameSizeAs(other);
    float most = 0;
    for (int i = 0; i < one.length; i++) {
      most = Math.max(most, Math.abs(one[i] - other[i]));
    }
    return most;
  }

  /** What is seen of tokens that run in an earlier part would be lost. */
  @Test
  void whatLooksAtAllTokensRunsInOne() {
    List<Expression> taps =
        List.of(
            Place.decoder(2).hidden(Rows.VISUAL),
            Observe.textToVisualAttention(2, Rows.TEXT),
            Place.decoder(2).probabilities(Rows.VISUAL).choose(Rows.VISUAL),
            Place.decoder(2).probabilities(Rows.LAST).choose(Rows.TEXT_AFTER_VISUAL));
    List<Boolean> inParts = new ArrayList<>();
    for (Expression tap : taps) {
      try (SplitDecoder open = decoder(tap)) {
        inParts.add(open.list().get(0).inParts());
      }
    }
    assertThat(inParts).containsOnly(false);
  }
}
