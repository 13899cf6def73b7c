package dev.squint.engine.internal.session;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OnnxTensor;
import dev.squint.engine.TinyLlava;
import dev.squint.engine.WholeFile;
import dev.squint.engine.internal.generate.SegmentState;
import dev.squint.engine.internal.ort.Device;
import dev.squint.engine.internal.ort.ModelSession;
import dev.squint.engine.internal.ort.OrtRuntime;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.engine.internal.tokens.MergeMatrix;
import dev.squint.engine.internal.tokens.RotaryPositions;
import dev.squint.engine.options.ExecutionProvider;
import dev.squint.fixtures.Share;
import dev.squint.onnx.config.ModelConfig;
import dev.squint.onnx.internal.decoder.DecoderGraph;
import dev.squint.onnx.internal.decoder.Seam;
import dev.squint.onnx.internal.decoder.SegmentSpec;
import dev.squint.onnx.internal.graph.OnnxGraph;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Rows;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Wherever the decoder is split, it computes what the unsplit file computes. */
class DecoderSplitTest {

  private static final ModelConfig.Text SIZES =
      new ModelConfig.Text(4, 32, 4, 2, 8, 64, 64, 10_000);
  private static final int PROMPT = 11;
  private static final int STEPS = 8;

  static Stream<Arguments> splits() {
    List<Arguments> cases = new ArrayList<>();
    for (String file : List.of("onnx/decoder_model_merged.onnx", "decoder_sdpa.onnx")) {
      cases.add(Arguments.of(file, List.of(0, 4)));
      for (int layer = 1; layer < TinyLlava.LAYERS; layer++) {
        cases.add(Arguments.of(file, List.of(0, layer, 4)));
      }
      cases.add(Arguments.of(file, List.of(0, 1, 2, 3, 4)));
    }
    return Share.of(cases, 0, 2);
  }

  @ParameterizedTest
  @MethodSource("splits")
  void splittingChangesNothing(String file, List<Integer> edges) {
    Path path = TinyLlava.folder().resolve(file);
    OrtRuntime runtime = OrtRuntime.get(1);
    Device cpu = Device.resolve(new ExecutionProvider.Cpu(), runtime);
    SessionFactory sessions = new SessionFactory(runtime, cpu, 1, new AtomicInteger());
    List<SegmentSpec> specs = new ArrayList<>();
    for (int i = 0; i + 1 < edges.size(); i++) {
      int last = edges.get(i + 1) - 1;
      specs.add(
          new SegmentSpec(
              edges.get(i),
              edges.get(i + 1),
              Seam.GATHER,
              false,
              List.of(Observe.textToVisualAttention(last, Rows.TEXT))));
    }
    try (ModelSession whole = WholeFile.open(sessions, path);
        SplitDecoder parts =
            new SplitDecoder(sessions, new DecoderGraph(OnnxGraph.read(path)), specs);
        TensorScope scope = sessions.scope();
        Whole expected = new Whole(whole, sessions)) {
      List<SegmentState> states = new ArrayList<>();
      parts.list().forEach(part -> states.add(new SegmentState(part, SIZES, scope.newScope())));
      Random random = new Random(5);
      for (int step = 0; step <= STEPS; step++) {
        int rows = step == 0 ? PROMPT : 1;
        float[] embeds = new float[rows * SIZES.hidden()];
        for (int i = 0; i < embeds.length; i++) {
          embeds[i] = (float) random.nextGaussian();
        }
        long first = step == 0 ? 0 : PROMPT + step - 1;
        assertThat(run(scope, states, embeds, rows, first))
            .as("step %d", step)
            .containsExactly(
                expected.run(embeds, rows, first), org.assertj.core.data.Offset.offset(1e-5f));
      }
      states.forEach(SegmentState::close);
    }
    assertThat(sessions.aliveTensors()).hasValue(0);
  }

  private static float[] run(
      TensorScope scope, List<SegmentState> states, float[] embeds, int rows, long first) {
    try (TensorScope pass = scope.newScope()) {
      List<OnnxTensor> hidden =
          List.of(pass.floats(FloatBuffer.wrap(embeds), 1, rows, SIZES.hidden()));
      RotaryPositions positions =
          new RotaryPositions(new long[][] {LongStream.range(first, first + rows).toArray()});
      int[] all = IntStream.range(0, rows).toArray();
      for (SegmentState state : states) {
        hidden =
            state
                .run(
                    pass,
                    new SegmentState.Input(
                        hidden, positions, new long[rows], all, MergeMatrix.NONE, Optional.empty()))
                .hidden();
      }
      return lastRow(hidden.get(0));
    }
  }

  private static float[] lastRow(OnnxTensor logits) {
    FloatBuffer buffer = logits.getFloatBuffer();
    float[] row = new float[SIZES.vocabulary()];
    buffer.get(buffer.remaining() - row.length, row);
    return row;
  }

  /** The unsplit file with its cache. */
  private static final class Whole implements AutoCloseable {
    private final ModelSession session;
    private final TensorScope owner;
    private Map<String, OnnxTensor> cache = new HashMap<>();
    private int cached;

    Whole(ModelSession session, SessionFactory sessions) {
      this.session = session;
      this.owner = sessions.scope();
      for (String name : session.inputs()) {
        if (name.startsWith("past")) {
          cache.put(
              name, owner.empty(session.inputType(name), 1, SIZES.kvHeads(), 0, SIZES.headDim()));
        }
      }
    }

    float[] run(float[] embeds, int rows, long first) {
      Map<String, OnnxTensor> inputs = new HashMap<>(cache);
      long[] mask = new long[cached + rows];
      Arrays.fill(mask, 1);
      inputs.put("inputs_embeds", owner.floats(FloatBuffer.wrap(embeds), 1, rows, SIZES.hidden()));
      inputs.put("attention_mask", owner.longs(mask, 1, mask.length));
      inputs.put(
          "position_ids", owner.longs(LongStream.range(first, first + rows).toArray(), 1, rows));
      Set<String> wanted = new HashSet<>(Set.of("logits"));
      cache.keySet().forEach(past -> wanted.add(past.replace("past_key_values", "present")));
      Map<String, OnnxTensor> out = session.run(owner, inputs, wanted);
      Map<String, OnnxTensor> grown = new HashMap<>();
      cache
          .keySet()
          .forEach(past -> grown.put(past, out.get(past.replace("past_key_values", "present"))));
      cache = grown;
      cached += rows;
      return lastRow(out.get("logits"));
    }

    @Override
    public void close() {
      owner.close();
    }
  }
}
