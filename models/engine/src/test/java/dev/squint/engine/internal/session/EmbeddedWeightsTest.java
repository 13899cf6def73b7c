package dev.squint.engine.internal.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnxruntime.OnnxTensor;
import dev.squint.engine.WholeFile;
import dev.squint.engine.internal.ort.ArenaPolicy;
import dev.squint.engine.internal.ort.Device;
import dev.squint.engine.internal.ort.ModelSession;
import dev.squint.engine.internal.ort.OrtRuntime;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.engine.options.ExecutionProvider;
import dev.squint.onnx.internal.decoder.DecoderGraph;
import dev.squint.onnx.internal.decoder.SegmentExtractor;
import dev.squint.onnx.internal.decoder.SegmentModel;
import dev.squint.onnx.internal.decoder.SegmentSpec;
import dev.squint.onnx.internal.decoder.WeightFile;
import dev.squint.onnx.internal.graph.OnnxGraph;
import java.io.IOException;
import java.io.InputStream;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Weights inside the file of a graph stay there. */
class EmbeddedWeightsTest {

  private static final int LAYERS = 4;
  private static final int TOKENS = 7;
  private static final int HIDDEN = 32;
  private static final int STAYS_IN_FILE = 1024;

  @TempDir Path temp;

  private final OrtRuntime runtime = OrtRuntime.get(1);
  private final Device device = Device.resolve(new ExecutionProvider.Cpu(), runtime);
  private Path file;

  @BeforeEach
  void copyFixture() throws IOException {
    file = temp.resolve("decoder.onnx");
    try (InputStream in = getClass().getResourceAsStream("/tiny-llava/decoder_sdpa.onnx")) {
      Files.copy(in, file);
    }
  }

  private static List<SegmentModel> segments(Path file) {
    DecoderGraph decoder = new DecoderGraph(OnnxGraph.read(file));
    List<SegmentModel> segments = new ArrayList<>();
    for (int layer = 0; layer < LAYERS; layer++) {
      segments.add(SegmentExtractor.extract(decoder, SegmentSpec.of(layer, layer + 1)));
    }
    return segments;
  }

  private ModelSession open(SegmentModel segment) {
    return runtime.open(segment.bytes(), segment.folder(), device, 1, "segment", ArenaPolicy.OWN);
  }

  /** The logits of a prompt through a chain of sessions. */
  private float[] logits(List<ModelSession> chain, List<SegmentModel> segments) {
    float[] embeds = new float[TOKENS * HIDDEN];
    Random random = new Random(3);
    for (int i = 0; i < embeds.length; i++) {
      embeds[i] = (float) random.nextGaussian();
    }
    long[] ones = new long[TOKENS];
    Arrays.fill(ones, 1);
    try (TensorScope scope = new TensorScope(runtime, new AtomicInteger())) {
      Map<String, OnnxTensor> inputs = new HashMap<>();
      inputs.put(DecoderGraph.EMBEDS, scope.floats(FloatBuffer.wrap(embeds), 1, TOKENS, HIDDEN));
      inputs.put(DecoderGraph.MASK, scope.longs(ones, 1, TOKENS));
      inputs.put(
          DecoderGraph.POSITIONS, scope.longs(LongStream.range(0, TOKENS).toArray(), 1, TOKENS));
      for (int i = 0; i < chain.size(); i++) {
        ModelSession session = chain.get(i);
        Map<String, OnnxTensor> wanted = new HashMap<>();
        for (String input : session.inputs()) {
          boolean cache = input.startsWith("past");
          wanted.put(
              input, cache ? scope.empty(session.inputType(input), 1, 2, 0, 8) : inputs.get(input));
        }
        boolean last = i == chain.size() - 1;
        Set<String> results =
            last ? Set.of(DecoderGraph.LOGITS) : Set.copyOf(segments.get(i).hiddenOutputs());
        Map<String, OnnxTensor> out = session.run(scope, wanted, results);
        if (last) {
          FloatBuffer values = out.get(DecoderGraph.LOGITS).getFloatBuffer();
          float[] row = new float[64];
          values.position(values.limit() - row.length).get(row);
          return row;
        }
        List<String> next = segments.get(i + 1).hiddenInputs();
        for (int k = 0; k < next.size(); k++) {
          inputs.put(next.get(k), out.get(segments.get(i).hiddenOutputs().get(k)));
        }
      }
      throw new AssertionError("no session");
    }
  }

  private void computesTheSame(Path original, List<SegmentModel> segments) {
    List<ModelSession> parts = new ArrayList<>();
    try (ModelSession whole = WholeFile.open(runtime, device, 1, original)) {
      segments.forEach(segment -> parts.add(open(segment)));
      float[] expected = logits(List.of(whole), List.of());
      float[] actual = logits(parts, segments);
      for (int i = 0; i < expected.length; i++) {
        assertThat(actual[i]).isCloseTo(expected[i], within(1e-5f));
      }
    } finally {
      parts.forEach(ModelSession::close);
    }
  }

  private static void holdNoWeights(List<SegmentModel> segments) throws IOException {
    int shared = 0;
    for (SegmentModel segment : segments) {
      for (TensorProto weight :
          ModelProto.parseFrom(segment.bytes()).getGraph().getInitializerList()) {
        assertThat(weight.getSerializedSize()).isLessThan(STAYS_IN_FILE + 200);
        shared += weight.getDataLocation() == TensorProto.DataLocation.EXTERNAL ? 1 : 0;
      }
    }
    assertThat(shared).isGreaterThanOrEqualTo(LAYERS);
  }

  @Test
  void segmentsReferToTheFileItself() throws IOException {
    List<SegmentModel> segments = segments(file);
    holdNoWeights(segments);
    computesTheSame(file, segments);
  }

  @Test
  void segmentsOfADownloadCacheReferToTheFileAfterTheLink() throws IOException {
    Path snapshot = Files.createDirectories(temp.resolve("snapshots/main/onnx"));
    Path blob = Files.createDirectory(temp.resolve("blobs")).resolve("5f1c");
    Files.move(file, blob);
    Path link =
        Files.createSymbolicLink(snapshot.resolve("d.onnx"), Path.of("../../../blobs/5f1c"));
    computesTheSame(blob, segments(link));
  }

  @Test
  void weightsCanBeCopiedToAFileOfTheirOwn() throws IOException {
    Path folder = Files.createDirectory(temp.resolve("split"));
    List<SegmentModel> copied = WeightFile.copy(segments(file), folder.resolve("weights.data"));
    assertThat(folder.toFile().list()).containsExactly("weights.data");
    assertThat(Files.size(folder.resolve("weights.data"))).isLessThan(Files.size(file));
    holdNoWeights(copied);
    assertThat(copied).extracting(SegmentModel::folder).containsOnly(folder);
    computesTheSame(file, copied);
  }

  @Test
  void readingTakesNoHeapForWeights() throws Exception {
    Path large = temp.resolve("large.onnx");
    LargeFile.write(large, 600L << 20);
    Process child =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "@../../models/fixtures/java.args",
                "-Xmx64m",
                "-cp",
                System.getProperty("java.class.path"),
                LargeFile.class.getName(),
                large.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(child.waitFor(5, TimeUnit.MINUTES)).isTrue();
    assertThat(said).isEqualToIgnoringNewLines("4 weights in large.onnx");
  }
}
