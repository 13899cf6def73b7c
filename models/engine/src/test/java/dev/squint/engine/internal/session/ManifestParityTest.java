package dev.squint.engine.internal.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.squint.engine.WholeFile;
import dev.squint.engine.internal.ort.Device;
import dev.squint.engine.internal.ort.ModelSession;
import dev.squint.engine.internal.ort.OrtRuntime;
import dev.squint.engine.options.ExecutionProvider;
import dev.squint.fixtures.ExportFixture;
import dev.squint.fixtures.Share;
import dev.squint.onnx.split.ModelSplitter;
import dev.squint.onnx.split.SplitOptions;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Heads;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Rows;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A program that knows the manifest alone gets from the parts what the unsplit file computes. */
class ManifestParityTest {

  private static final int STEPS = 2;
  private static final float EXACT = 1e-5f;
  private static final Path EXPORTS = Path.of("..", "fixtures", "data", "exports");

  private final OrtEnvironment environment = OrtRuntime.get(1).environment();
  private final List<AutoCloseable> open = new ArrayList<>();
  private final Map<String, OnnxTensor> cache = new HashMap<>();

  @TempDir Path temp;

  /** Each file, its weights left or copied in turns. */
  static Stream<Arguments> exports() {
    List<Arguments> all = new ArrayList<>();
    for (String name :
        List.of(
            "genai-llama-fp32",
            "llama-ts-eager-14",
            "llama-merged-if",
            "llama-external-one",
            "llama-optimized")) {
      boolean first = all.size() % 4 == 2;
      all.add(Arguments.of(name, first));
      all.add(Arguments.of(name, !first));
    }
    return Share.of(all, 0, 2);
  }

  @ParameterizedTest
  @MethodSource("exports")
  void promptAndStepsEqualTheUnsplitFile(String name, boolean copy) throws Exception {
    ExportFixture export = ExportFixture.read(EXPORTS.resolve(name));
    Path out = temp.resolve("parts");
    ModelSplitter.split(
        export.graph(),
        "",
        SplitOptions.at(Set.of(1, 3))
            .taps(
                List.of(
                    Observe.textToVisualAttention(0, Rows.LAST, Heads.EACH),
                    Observe.hiddenStates(1),
                    Observe.keys(3)))
            .copyWeights(copy)
            .build(),
        out);
    try (var left = Files.list(temp)) {
      assertThat(left).containsExactly(out);
    }
    List<float[]> expected = unsplit(export);
    try {
      JsonNode manifest = new ObjectMapper().readTree(out.resolve("manifest.json").toFile());
      List<OrtSession> sessions = new ArrayList<>();
      assertThat(manifest.get("segments").size()).isEqualTo(3);
      for (JsonNode segment : manifest.get("segments")) {
        String file = out.resolve(segment.get("file").asText()).toString();
        sessions.add(keep(environment.createSession(file)));
      }
      int width = export.size("hidden");
      int tokens = export.size("tokens");
      for (int step = 0; step <= STEPS; step++) {
        float[] embeds =
            step == 0
                ? export.array("embeds")
                : ExportFixture.row(export.array("decodeEmbeds"), step - 1, width);
        int past = step == 0 ? 0 : tokens + step - 1;
        float[] logits = pass(manifest, sessions, export, embeds, past);
        assertThat(logits).containsExactly(expected.get(step), offset(EXACT));
      }
    } finally {
      for (AutoCloseable resource : open) {
        resource.close();
      }
    }
  }

  private static List<float[]> unsplit(ExportFixture export) {
    OrtRuntime runtime = OrtRuntime.get(1);
    Device cpu = Device.resolve(new ExecutionProvider.Cpu(), runtime);
    SessionFactory sessions = new SessionFactory(runtime, cpu, 1, new AtomicInteger());
    List<float[]> logits = new ArrayList<>();
    try (ModelSession whole = WholeFile.open(sessions, export.graph())) {
      new UnsplitRun(whole, export, sessions).run(logits);
    }
    return logits;
  }

  private float[] pass(
      JsonNode manifest, List<OrtSession> sessions, ExportFixture export, float[] embeds, int past)
      throws OrtException, IOException {
    int rows = embeds.length / export.size("hidden");
    Map<Integer, OnnxTensor> flow = Map.of(0, floats(embeds, 1, rows, export.size("hidden")));
    float[] logits = {};
    for (int i = 0; i < sessions.size(); i++) {
      JsonNode segment = manifest.get("segments").get(i);
      Map<String, OnnxTensor> inputs = new HashMap<>();
      for (JsonNode input : segment.get("inputs")) {
        inputs.put(input.get("name").asText(), input(input, flow, export, rows, past));
      }
      OrtSession.Result result = keep(sessions.get(i).run(inputs));
      flow = new HashMap<>();
      for (JsonNode output : segment.get("outputs")) {
        String name = output.get("name").asText();
        OnnxTensor tensor = (OnnxTensor) result.get(name).orElseThrow();
        switch (output.get("role").asText()) {
          case "hidden" -> flow.put(output.get("order").asInt(), tensor);
          case "logits" -> logits = UnsplitRun.lastRow(tensor, export);
          case "bestToken" -> {}
          case "present" -> cache.put(name.replace("present", "past_key_values"), tensor);
          case "tap" -> hasShape(output, tensor, export);
          default -> throw new AssertionError(output);
        }
      }
    }
    return logits;
  }

  private OnnxTensor input(
      JsonNode input, Map<Integer, OnnxTensor> flow, ExportFixture export, int rows, int past)
      throws OrtException {
    return switch (input.get("role").asText()) {
      case "hidden" -> flow.get(input.get("order").asInt());
      case "keep" -> longs(LongStream.range(0, rows), rows);
      case "positions" -> longs(LongStream.range(past, past + rows), 1, rows);
      case "mask" -> longs(LongStream.generate(() -> 1).limit(past + rows), 1, past + rows);
      case "rows" ->
          input.get("name").asText().equals("rows.last")
              ? longs(LongStream.of(rows - 1), 1)
              : longs(LongStream.range(0, rows), rows);
      case "past" -> {
        String name = input.get("name").asText();
        assertThat(name).contains("." + input.get("layer").asInt() + ".");
        OnnxTensor grown = cache.get(name);
        yield grown != null
            ? grown
            : floats(new float[0], 1, export.size("kvHeads"), 0, export.size("headDim"));
      }
      default -> throw new AssertionError(input);
    };
  }

  private static void hasShape(JsonNode output, OnnxTensor tensor, ExportFixture export) {
    long[] real = tensor.getInfo().getShape();
    JsonNode told = output.get("shape");
    assertThat(told.size()).isEqualTo(real.length);
    Map<String, Integer> sizes =
        Map.of(
            "heads",
            export.size("heads"),
            "joined-kv-heads",
            export.size("kvHeads") * export.size("headDim"),
            "hidden",
            export.size("hidden"),
            "queries:last",
            1);
    for (int axis = 0; axis < real.length; axis++) {
      Integer size = sizes.get(told.get(axis).asText());
      if (told.get(axis).isInt() || size != null) {
        assertThat(real[axis]).isEqualTo(size == null ? told.get(axis).asInt() : size);
      }
    }
    assertThat(Expression.parse(output.get("expression").asText()).canonical())
        .isEqualTo(output.get("expression").asText());
  }

  private <T extends AutoCloseable> T keep(T resource) {
    open.add(0, resource);
    return resource;
  }

  private OnnxTensor floats(float[] values, long... shape) throws OrtException {
    return keep(OnnxTensor.createTensor(environment, FloatBuffer.wrap(values), shape));
  }

  private OnnxTensor longs(LongStream values, long... shape) throws OrtException {
    return keep(OnnxTensor.createTensor(environment, LongBuffer.wrap(values.toArray()), shape));
  }
}
