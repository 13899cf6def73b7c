package dev.squint.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.squint.error.SquintException;
import dev.squint.fixtures.ExportFixture;
import dev.squint.fixtures.Share;
import dev.squint.onnx.internal.decoder.DecoderGraph;
import dev.squint.onnx.internal.decoder.KvCacheLayout;
import dev.squint.onnx.internal.decoder.Seam;
import dev.squint.onnx.internal.decoder.SegmentExtractor;
import dev.squint.onnx.internal.decoder.SegmentManifest;
import dev.squint.onnx.internal.decoder.SegmentSpec;
import dev.squint.onnx.internal.graph.OnnxGraph;
import dev.squint.onnx.internal.vision.VisionGraph;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Heads;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Place;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.observe.Stage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Graphs of exporters in which one node of each operator has fewer inputs, outputs or attributes
 * than the operator takes. Whoever looks into it refuses in one line or does without.
 */
class SloppyNodesTest {

  private static final Map<String, UnaryOperator<NodeProto>> CUTS =
      new TreeMap<>(
          Map.of(
              "no inputs", node -> node.toBuilder().clearInput().build(),
              "one input", node -> withInputs(node, 1),
              "two inputs", node -> withInputs(node, 2),
              "empty inputs", SloppyNodesTest::withEmptyInputs,
              "an input of the graph in each place", SloppyNodesTest::withSources,
              "no outputs", node -> node.toBuilder().clearOutput().build(),
              "no first output", SloppyNodesTest::withoutFirstOutput,
              "no attributes", node -> node.toBuilder().clearAttribute().build()));

  @TempDir Path temp;

  private static NodeProto withInputs(NodeProto node, int count) {
    int some = Math.min(count, node.getInputCount());
    return node.toBuilder().clearInput().addAllInput(node.getInputList().subList(0, some)).build();
  }

  private static NodeProto withEmptyInputs(NodeProto node) {
    NodeProto.Builder cut = node.toBuilder();
    for (int i = 0; i < cut.getInputCount(); i++) {
      cut.setInput(i, "");
    }
    return cut.build();
  }

  private static NodeProto withSources(NodeProto node) {
    NodeProto.Builder cut = node.toBuilder();
    for (int i = 0; i < cut.getInputCount(); i++) {
      cut.setInput(i, "source");
    }
    return cut.build();
  }

  private static NodeProto withoutFirstOutput(NodeProto node) {
    return node.getOutputCount() == 0 ? node : node.toBuilder().setOutput(0, "").build();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "llama-dyn-18",
        "llama-merged-if",
        "llama-optimized-mha",
        "genai-llama-mha-fp32",
        "genai-qwen25vl-fp32",
        "llama-dyn-24"
      })
  void decoders(String export) throws IOException {
    spoil(
        ExportFixture.class.getResource("/exports/" + export + "/decoder.onnx").getPath(),
        SloppyNodesTest::useDecoder);
  }

  @ParameterizedTest
  @ValueSource(strings = {"vision-clip-optimized", "vision-siglip-optimized", "vision-clip-mha"})
  void towers(String export) throws IOException {
    spoil(
        ExportFixture.class.getResource("/exports/" + export + "/vision.onnx").getPath(),
        SloppyNodesTest::useTower);
  }

  private void spoil(String resource, Consumer<OnnxGraph> use) throws IOException {
    ModelProto whole = parsed(Path.of(resource));
    Set<String> operators = new HashSet<>();
    GraphProto nodes = whole.getGraph();
    List<String> raw = new ArrayList<>();
    for (int i = nodes.getNodeCount() - 1; i >= 0; i--) {
      NodeProto node = nodes.getNode(i);
      if (!operators.add(node.getOpType())) {
        continue;
      }
      int turn = operators.size();
      for (Map.Entry<String, UnaryOperator<NodeProto>> cut : CUTS.entrySet()) {
        if (!Share.has(turn++, 6)) {
          continue;
        }
        ModelProto.Builder spoilt = whole.toBuilder();
        spoilt.getGraphBuilder().setNode(i, cut.getValue().apply(node)).addInput(source());
        String what = "%s %d with %s".formatted(node.getOpType(), i, cut.getKey());
        Path file = temp.resolve("spoilt.onnx");
        Files.write(file, spoilt.build().toByteArray());
        attempt(what, () -> use.accept(OnnxGraph.read(file)), raw);
      }
    }
    assertThat(raw).isEmpty();
  }

  /** As it lies on disk; data files are put next to what is made of it. */
  private ModelProto parsed(Path export) throws IOException {
    try (Stream<Path> files = Files.list(export.getParent())) {
      for (Path file : files.filter(f -> f.toString().contains(".onnx")).toList()) {
        Files.copy(file, temp.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
      }
    }
    return ModelProto.parseFrom(Files.readAllBytes(export));
  }

  private static ValueInfoProto source() {
    return ValueInfoProto.newBuilder()
        .setName("source")
        .setType(TypeProto.newBuilder().setTensorType(TypeProto.Tensor.newBuilder().setElemType(1)))
        .build();
  }

  private static void attempt(String what, Runnable use, List<String> raw) {
    try {
      use.run();
    } catch (SquintException e) {
      if (e.getMessage().contains("\n")) {
        raw.add(what + ": " + e.getMessage());
      }
    } catch (RuntimeException | StackOverflowError e) {
      raw.add("%s: %s at %s".formatted(what, e, e.getStackTrace()[0]));
    }
  }

  private static void useDecoder(OnnxGraph graph) {
    DecoderGraph decoder = new DecoderGraph(graph);
    int layers = decoder.layers();
    List<Expression> taps =
        List.of(
            Observe.textToVisualAttention(0, Rows.TEXT, Heads.EACH),
            Place.decoder(0).q(Rows.LAST),
            Place.decoder(0).v(Rows.VISUAL),
            Observe.hiddenStates(1, Rows.VISUAL, true),
            Observe.coreNeurons(0, 0.2, 0.4),
            Observe.keys(0));
    SegmentSpec whole = SegmentSpec.of(0, layers);
    List<SegmentSpec> specs = new ArrayList<>();
    specs.add(new SegmentSpec(0, 1, Seam.NONE, true, taps));
    specs.add(new SegmentSpec(1, layers, Seam.MERGE, true, List.of()));
    specs.add(
        new SegmentSpec(
            1, layers, Seam.GATHER, false, List.of(Observe.textToVisualAttention(1, Rows.LAST))));
    specs.add(SegmentSpec.lookahead(1, List.of(Observe.textToVisualAttention(1, Rows.LAST)), true));
    specs.add(whole.with(new KvCacheLayout.Quantised(4, 2, true, 16)));
    specs.add(whole.with(new KvCacheLayout.Ragged(4, 16)));
    specs.add(decoder.growing(whole));
    List<String> raw = new ArrayList<>();
    for (SegmentSpec spec : specs) {
      attempt(
          spec.toString(),
          () -> SegmentManifest.of(SegmentExtractor.extract(decoder, spec)).fields("file"),
          raw);
    }
    assertThat(raw).isEmpty();
  }

  private static void useTower(OnnxGraph graph) {
    VisionGraph tower = new VisionGraph(graph);
    List<String> raw = new ArrayList<>();
    for (Expression tap :
        List.of(
            Observe.clsAttention(0),
            Observe.attentionReceived(0),
            Observe.keySimilarity(0, Heads.AVERAGED),
            Observe.keySimilarity(0, Heads.EACH),
            Observe.featureSimilarity(Stage.BEFORE_PROJECTOR),
            Place.vision(0).q(Rows.VISUAL),
            Place.vision(0).v(Rows.VISUAL),
            Place.vision(0).hidden(Rows.VISUAL),
            Place.vision(0).mlp(Rows.VISUAL))) {
      attempt(tap.toString(), () -> tower.withTaps(List.of(tap)), raw);
    }
    attempt("tower", () -> tower.tower(List.of()), raw);
    attempt("projector", tower::projector, raw);
    assertThat(raw).isEmpty();
  }

  @Test
  void namesTypesNewerThanTheClassesAtHand() throws IOException {
    Path folder = Files.createDirectory(temp.resolve("types"));
    Path file = folder.resolve("decoder.onnx");
    ModelProto.Builder model =
        parsed(
            Path.of(
                ExportFixture.class
                    .getResource("/exports/llama-ts-eager-14/decoder.onnx")
                    .getPath()))
            .toBuilder();
    for (ValueInfoProto.Builder input : model.getGraphBuilder().getInputBuilderList()) {
      if (input.getName().equals(DecoderGraph.past(0, true))) {
        input.getTypeBuilder().getTensorTypeBuilder().setElemType(24);
      }
    }
    Files.write(file, model.build().toByteArray());
    DecoderGraph decoder = new DecoderGraph(OnnxGraph.read(file));
    assertThat(
            SegmentManifest.of(SegmentExtractor.extract(decoder, SegmentSpec.of(0, 1)))
                .fields("file")
                .toString())
        .contains("type=float8e8m0");
  }
}
