package dev.squint.engine.internal.session;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import ai.onnxruntime.OnnxTensor;
import dev.squint.engine.internal.generate.ChosenRows;
import dev.squint.engine.internal.generate.SegmentState;
import dev.squint.engine.internal.ort.Device;
import dev.squint.engine.internal.ort.ModelSession;
import dev.squint.engine.internal.ort.OrtRuntime;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.engine.internal.tokens.MergeMatrix;
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
import dev.squint.pruning.observe.Observe;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Core neurons against their definition, counted over the activations that the unsplit file returns
 * as outputs of their own. These are found by the exporter's node names, which Squint does not
 * read.
 */
class CoreNeuronsTest {

  private static final double[][] SHARES = {{0.2, 0.4}, {0.05, 0.1}, {0.9, 0.5}, {1, 1}};
  private static final int[] NONE = {};

  private final OrtRuntime runtime = OrtRuntime.get(1);
  private final SessionFactory sessions =
      new SessionFactory(
          runtime, Device.resolve(new ExecutionProvider.Cpu(), runtime), 1, new AtomicInteger());

  /** The exports whose nodes bear names that tell. */
  static Stream<ExportFixture> named() {
    return Share.of(
        ExportFixture.all("decoder").stream()
            .filter(export -> activations(model(export), 0).isPresent())
            .toList(),
        0,
        5);
  }

  /** The others, all of one model whose named export is compared with. */
  static Stream<ExportFixture> unnamed() {
    return Share.of(
        ExportFixture.all("decoder").stream()
            .filter(export -> export.name().startsWith("llama-"))
            .filter(export -> activations(model(export), 0).isEmpty())
            .toList(),
        0,
        3);
  }

  @AfterEach
  void nothingIsLeftOpen() {
    assertThat(sessions.aliveTensors()).hasValue(0);
  }

  @ParameterizedTest
  @MethodSource("named")
  void countsAreThoseOfTheDefinition(ExportFixture export) {
    int layers = export.size("layers") - 1;
    Map<String, float[]> seen = tapped(export);
    List<float[]> active = unsplit(export, layers);
    int tokens = export.size("tokens");
    int start = export.size("visualStart");
    for (int layer = 0; layer < layers; layer++) {
      for (double[] shares : SHARES) {
        int[] expected = counts(active.get(layer), tokens, shares[0], shares[1]);
        Expression tap = Observe.coreNeurons(layer, shares[0], shares[1]);
        float[] actual = seen.get(TapNames.output(tap));
        assertThat(actual).hasSize(export.size("visualLength"));
        for (int i = 0; i < actual.length; i++) {
          assertThat(actual[i]).as("token %d of %s", i, tap).isEqualTo(expected[start + i]);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("unnamed")
  void exportersAgree(ExportFixture export) {
    Map<String, float[]> named = tapped(ExportFixture.named("llama-ts-eager-14"));
    tapped(export).forEach((tap, counts) -> assertThat(counts).containsExactly(named.get(tap)));
  }

  /** Three tokens of four neurons: two core ones each at most, one of the sentence. */
  @Test
  void theDefinitionByHand() {
    float[] active = {4, 3, 2, 1, -1, 5, 0, -2, 1, 1, 1, 9};
    assertThat(counts(active, 3, 0.5, 0.5)).containsExactly(2, 1, 2);
    assertThat(counts(active, 3, 0.5, 0.25)).containsExactly(1, 1, 1);
  }

  private static int[] counts(float[] active, int tokens, double rho, double beta) {
    int neurons = active.length / tokens;
    int own = (int) Math.max(1, Math.rint(neurons * rho));
    boolean[][] core = new boolean[tokens][neurons];
    int[] votes = new int[neurons];
    for (int token = 0; token < tokens; token++) {
      float[] row = ExportFixture.row(active, token, neurons);
      float[] sorted = row.clone();
      Arrays.sort(sorted);
      for (int neuron = 0; neuron < neurons; neuron++) {
        core[token][neuron] = row[neuron] > 0 && row[neuron] >= sorted[neurons - own];
        votes[neuron] += core[token][neuron] ? 1 : 0;
      }
    }
    int[] sentence =
        IntStream.range(0, neurons)
            .boxed()
            .sorted(Comparator.comparing((Integer neuron) -> -votes[neuron]))
            .limit((long) Math.max(1, Math.rint(neurons * beta)))
            .mapToInt(Integer::intValue)
            .toArray();
    return Arrays.stream(core)
        .mapToInt(row -> (int) Arrays.stream(sentence).filter(neuron -> row[neuron]).count())
        .toArray();
  }

  private Map<String, float[]> tapped(ExportFixture export) {
    DecoderGraph decoder = new DecoderGraph(OnnxGraph.read(export.graph()));
    int layers = export.size("layers");
    List<Expression> taps = new ArrayList<>();
    for (int layer = 0; layer < layers - 1; layer++) {
      for (double[] shares : SHARES) {
        taps.add(Observe.coreNeurons(layer, shares[0], shares[1]));
      }
    }
    ModelConfig.Text sizes =
        new ModelConfig.Text(
            layers,
            export.size("hidden"),
            export.size("heads"),
            export.size("kvHeads"),
            export.size("headDim"),
            1,
            export.size("vocabulary"),
            10_000);
    int tokens = export.size("tokens");
    int start = export.size("visualStart");
    int end = start + export.size("visualLength");
    int[] all = IntStream.range(0, tokens).toArray();
    SegmentSpec spec = new SegmentSpec(0, layers, Seam.NONE, false, taps);
    Map<String, float[]> seen = new HashMap<>();
    try (SplitDecoder open = new SplitDecoder(sessions, decoder, List.of(spec));
        TensorScope scope = sessions.scope();
        SegmentState state = new SegmentState(open.list().get(0), sizes, scope.newScope())) {
      SegmentState.Input input =
          new SegmentState.Input(
              List.of(UnsplitRun.embeds(scope, export.array("embeds"), export.size("hidden"))),
              UnsplitRun.positions(export, "positions"),
              Arrays.stream(all).mapToLong(row -> row >= start && row < end ? 1 : 0).toArray(),
              all,
              MergeMatrix.NONE,
              Optional.of(new ChosenRows(NONE, IntStream.range(start, end).toArray(), NONE)));
      state.run(scope, input).taps().forEach((tap, t) -> seen.put(tap, UnsplitRun.floats(t)));
    }
    return seen;
  }

  /** The activations of the first layers, as the file computes them. */
  private List<float[]> unsplit(ExportFixture export, int layers) {
    ModelProto.Builder model = model(export).toBuilder();
    GraphProto.Builder graph = model.getGraphBuilder();
    List<String> wanted = new ArrayList<>();
    for (int layer = 0; layer < layers; layer++) {
      String tensor = activations(model(export), layer).orElseThrow();
      wanted.add(tensor);
      graph.addOutput(ValueInfoProto.newBuilder().setName(tensor));
    }
    byte[] bytes = model.build().toByteArray();
    try (ModelSession session = sessions.open(bytes, export.folder(), export.name());
        TensorScope scope = sessions.scope()) {
      Map<String, OnnxTensor> out =
          session.run(
              scope, new UnsplitRun(session, export, sessions).prompt(scope), Set.copyOf(wanted));
      return wanted.stream().map(out::get).map(UnsplitRun::floats).toList();
    }
  }

  private static Optional<String> activations(ModelProto model, int layer) {
    List<NodeProto> nodes = model.getGraph().getNodeList();
    Optional<String> entering =
        nodes.stream()
            .filter(
                node ->
                    node.getName()
                        .startsWith("/model/layers.%d/mlp/down_proj/MatMul".formatted(layer)))
            .filter(node -> node.getOpType().startsWith("MatMul"))
            .map(node -> node.getInput(0))
            .findFirst();
    return entering.map(
        tensor ->
            nodes.stream()
                .filter(node -> node.getOpType().equals("DynamicQuantizeLinear"))
                .filter(node -> node.getOutput(0).equals(tensor))
                .map(node -> node.getInput(0))
                .findFirst()
                .orElse(tensor));
  }

  private static ModelProto model(ExportFixture export) {
    try {
      return ModelProto.parseFrom(Files.readAllBytes(export.graph()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
