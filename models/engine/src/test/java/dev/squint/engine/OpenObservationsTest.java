package dev.squint.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import dev.squint.engine.internal.ort.OrtRuntime;
import dev.squint.engine.internal.session.UnsplitRun;
import dev.squint.engine.request.Generation;
import dev.squint.engine.request.PixelValues;
import dev.squint.fixtures.ExportFixture;
import dev.squint.pruning.Strategy;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Place;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.trace.SiteTrace;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.example.pruning.ValueNorms;
import org.example.pruning.ValueVectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Strategies that look at what no strategy of this project does, one file each, against the numbers
 * of the unchanged files.
 */
class OpenObservationsTest {

  private static final int KEPT = 5;

  @RegisterExtension static final OpenTinyLlava TINY = new OpenTinyLlava();

  private static SiteTrace site(Strategy strategy) {
    Generation answer = TINY.model().generate(TinyLlava.prompt(), strategy, TinyLlava.sixTokens());
    assertThat(answer.trace().sites()).hasSize(1);
    return answer.trace().sites().get(0);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2})
  void valueNormsOfADecoderLayer(int layer) throws OrtException {
    SiteTrace site = site(new ValueNorms(layer, KEPT));
    float[] norms = norms(layer);
    assertThat(site.observed()).containsExactly("value norms of decoder layer " + layer);
    assertThat(site.scores()).containsExactly(norms, offset(1e-5f));
    assertThat(site.keptOriginal()).containsExactly(top(norms));
  }

  /** From the values that the whole decoder caches. */
  private static float[] norms(int layer) throws OrtException {
    Observation embeds = embeds();
    String present = "present." + layer + ".value";
    Path file = TinyLlava.folder().resolve("onnx/decoder_model_merged.onnx");
    OrtEnvironment environment = OrtRuntime.get(1).environment();
    Map<String, OnnxTensor> inputs = new HashMap<>();
    try (OrtSession session = environment.createSession(file.toString())) {
      long[] positions = LongStream.range(0, embeds.rows()).toArray();
      long[] mask = LongStream.generate(() -> 1).limit(embeds.rows()).toArray();
      inputs.put(
          "inputs_embeds",
          OnnxTensor.createTensor(
              environment,
              FloatBuffer.wrap(embeds.values()),
              new long[] {1, embeds.rows(), embeds.columns()}));
      inputs.put("position_ids", longs(environment, positions));
      inputs.put("attention_mask", longs(environment, mask));
      for (String name : session.getInputNames()) {
        if (name.startsWith("past")) {
          long[] shape = ((TensorInfo) session.getInputInfo().get(name).getInfo()).getShape();
          inputs.put(
              name,
              OnnxTensor.createTensor(
                  environment, FloatBuffer.allocate(0), new long[] {1, shape[1], 0, shape[3]}));
        }
      }
      try (OrtSession.Result result = session.run(inputs, Set.of(present))) {
        OnnxTensor values = (OnnxTensor) result.get(present).orElseThrow();
        return meanNorms(UnsplitRun.floats(values), values.getInfo().getShape());
      }
    } finally {
      inputs.values().forEach(OnnxTensor::close);
    }
  }

  private static float[] meanNorms(float[] values, long[] shape) {
    int heads = (int) shape[1];
    int tokens = (int) shape[2];
    int width = (int) shape[3];
    float[] norms = new float[TinyLlava.VISUAL];
    for (int head = 0; head < heads; head++) {
      for (int i = 0; i < norms.length; i++) {
        double squares = 0;
        for (int d = 0; d < width; d++) {
          float value = values[(head * tokens + TinyLlava.FIRST_VISUAL + i) * width + d];
          squares += value * value;
        }
        norms[i] += (float) (Math.sqrt(squares) / heads);
      }
    }
    return norms;
  }

  private static OnnxTensor longs(OrtEnvironment environment, long[] values) throws OrtException {
    return OnnxTensor.createTensor(
        environment, LongBuffer.wrap(values), new long[] {1, values.length});
  }

  /** All that enters the decoder. */
  private static Observation embeds() {
    Expression need = Place.decoder(0).hidden(Rows.ALL);
    List<Observation> seen = new ArrayList<>();
    SitePlan site =
        new SitePlan(
            new Site.BeforeLayer(1),
            Set.of(need),
            PositionPolicy.ORIGINAL,
            (context, observations) -> {
              seen.add(observations.get(need));
              return Selection.all(context.visualTokens());
            });
    TINY.model()
        .generate(
            TinyLlava.prompt(), new TestStrategy("looking", List.of(site)), TinyLlava.sixTokens());
    return seen.get(0);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void valueVectorsOfTheVisionTower(int layer) throws OrtException, IOException {
    SiteTrace site = site(new ValueVectors(layer, KEPT));
    float[] distances = distances(values(layer));
    assertThat(site.observed()).containsExactly("value vectors of vision layer " + layer);
    assertThat(site.scores()).containsExactly(distances, offset(1e-3f));
    assertThat(site.keptOriginal()).containsExactly(top(distances));
  }

  @Test
  void theVectorsThemselvesArrive() throws OrtException, IOException {
    Expression need = Place.vision(1).v(Rows.VISUAL).joinHeads();
    List<Observation> seen = new ArrayList<>();
    SitePlan site =
        new SitePlan(
            new Site.AfterVision(),
            Set.of(need),
            PositionPolicy.COMPACTED,
            (context, observations) -> {
              seen.add(observations.get(need));
              return Selection.of(new int[] {1, 4});
            });
    TINY.model()
        .generate(
            TinyLlava.prompt(), new TestStrategy("looking", List.of(site)), TinyLlava.sixTokens());
    float[][] values = values(1);
    assertThat(seen.get(0).rows()).isEqualTo(values.length);
    for (int token = 0; token < values.length; token++) {
      assertThat(seen.get(0).row(token)).containsExactly(values[token], offset(1e-5f));
    }
  }

  /** From the projection that the unchanged tower names so. */
  private static float[][] values(int layer) throws OrtException, IOException {
    String projected = "/encoder/layers.%d/self_attn/v_proj/Add_output_0".formatted(layer);
    ModelProto.Builder model =
        ModelProto.parseFrom(
            Files.readAllBytes(TinyLlava.folder().resolve("onnx/vision_encoder.onnx")))
            .toBuilder();
    model.getGraphBuilder().addOutput(ValueInfoProto.newBuilder().setName(projected));
    PixelValues pixels = TinyLlava.pixels();
    OrtEnvironment environment = OrtRuntime.get(1).environment();
    try (OrtSession session = environment.createSession(model.build().toByteArray());
        OnnxTensor input =
            OnnxTensor.createTensor(environment, pixels.data().duplicate(), pixels.shape());
        OrtSession.Result result = session.run(Map.of("pixel_values", input), Set.of(projected))) {
      OnnxTensor tensor = (OnnxTensor) result.get(projected).orElseThrow();
      int width = (int) tensor.getInfo().getShape()[2];
      float[] all = UnsplitRun.floats(tensor);
      float[][] values = new float[TinyLlava.VISUAL][];
      for (int token = 0; token < values.length; token++) {
        values[token] = ExportFixture.row(all, token + 1, width);
      }
      return values;
    }
  }

  private static float[] distances(float[][] values) {
    float[] distances = new float[values.length];
    for (int d = 0; d < values[0].length; d++) {
      double mean = 0;
      for (float[] value : values) {
        mean += value[d] / values.length;
      }
      for (int token = 0; token < values.length; token++) {
        distances[token] += (float) Math.pow(values[token][d] - mean, 2);
      }
    }
    return distances;
  }

  private static int[] top(float[] scores) {
    return IntStream.range(0, scores.length)
        .boxed()
        .sorted(Comparator.comparing((Integer i) -> -scores[i]))
        .limit(KEPT)
        .mapToInt(i -> i)
        .sorted()
        .toArray();
  }
}
