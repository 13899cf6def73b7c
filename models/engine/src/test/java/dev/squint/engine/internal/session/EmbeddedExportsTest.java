package dev.squint.engine.internal.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.ByteString;
import dev.squint.engine.internal.ort.Device;
import dev.squint.engine.internal.ort.ModelSession;
import dev.squint.engine.internal.ort.OrtRuntime;
import dev.squint.engine.options.ExecutionProvider;
import dev.squint.error.ModelException;
import dev.squint.fixtures.ExportFixture;
import dev.squint.onnx.internal.decoder.DecoderGraph;
import dev.squint.onnx.internal.decoder.SegmentExtractor;
import dev.squint.onnx.internal.decoder.SegmentModel;
import dev.squint.onnx.internal.decoder.SegmentSpec;
import dev.squint.onnx.internal.graph.OnnxGraph;
import dev.squint.onnx.internal.vision.VisionGraph;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observe;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Exports that hold their weights: what is extracted from them holds none and computes the same
 * bits.
 */
class EmbeddedExportsTest {

  private static final int LARGE = 1024;

  @TempDir Path temp;

  private final OrtRuntime runtime = OrtRuntime.get(1);
  private final SessionFactory sessions =
      new SessionFactory(
          runtime, Device.resolve(new ExecutionProvider.Cpu(), runtime), 1, new AtomicInteger());

  static Stream<ExportFixture> decoders() {
    return ExportFixture.share("decoder", 0, 2).filter(EmbeddedExportsTest::isEmbedded);
  }

  static Stream<ExportFixture> towers() {
    return ExportFixture.share("vision", 0, 2).filter(EmbeddedExportsTest::isEmbedded);
  }

  /** Those whose segment over all layers takes what the file takes. */
  static Stream<ExportFixture> runnable() {
    return decoders().filter(export -> !export.json().get("precision").asText().equals("fp16"));
  }

  private static boolean isEmbedded(ExportFixture export) {
    return !largeWeights(export).isEmpty();
  }

  /** The large weights of a file, by name, read with nothing left out. */
  private static Map<String, TensorProto> largeWeights(ExportFixture export) {
    return parsed(read(export.graph())).getGraph().getInitializerList().stream()
        .filter(weight -> weight.getRawData().size() >= LARGE)
        .collect(Collectors.toMap(TensorProto::getName, weight -> weight));
  }

  private static byte[] read(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static ModelProto parsed(byte[] model) {
    try {
      return ModelProto.parseFrom(model);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<TensorProto> tensors(GraphProto graph) {
    List<TensorProto> found = new ArrayList<>(graph.getInitializerList());
    for (NodeProto node : graph.getNodeList()) {
      for (AttributeProto attribute : node.getAttributeList()) {
        if (attribute.hasT()) {
          found.add(attribute.getT());
        }
        if (attribute.hasG()) {
          found.addAll(tensors(attribute.getG()));
        }
      }
    }
    return found;
  }

  private static String entry(TensorProto weight, String key) {
    return weight.getExternalDataList().stream()
        .filter(entry -> entry.getKey().equals(key))
        .map(StringStringEntryProto::getValue)
        .findFirst()
        .orElseThrow();
  }

  private static boolean isExternal(TensorProto weight) {
    return weight.getDataLocation() == TensorProto.DataLocation.EXTERNAL;
  }

  private static ByteString data(TensorProto weight, Path folder) {
    byte[] bytes = new byte[Integer.parseInt(entry(weight, "length"))];
    Path file = folder.resolve(entry(weight, "location"));
    try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
      in.seek(Long.parseLong(entry(weight, "offset")));
      in.readFully(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return ByteString.copyFrom(bytes);
  }

  /** Checks what was extracted and names the weights it refers to. */
  private static Set<String> refersTo(byte[] model, Path folder, ExportFixture export) {
    Map<String, TensorProto> originals = largeWeights(export);
    Set<String> names = new HashSet<>();
    for (TensorProto tensor : tensors(parsed(model).getGraph())) {
      assertThat(tensor.getSerializedSize()).as(tensor.getName()).isLessThan(LARGE + 200);
      if (isExternal(tensor)) {
        TensorProto original = originals.get(tensor.getName());
        assertThat(original).as(tensor.getName()).isNotNull();
        assertThat(data(tensor, folder)).isEqualTo(original.getRawData());
        assertThat(tensor.getDataType()).isEqualTo(original.getDataType());
        assertThat(tensor.getDimsList()).isEqualTo(original.getDimsList());
        names.add(tensor.getName());
      }
    }
    return names;
  }

  @ParameterizedTest
  @MethodSource("decoders")
  void segmentsReferToTheBytesOfTheFile(ExportFixture export) {
    DecoderGraph decoder = new DecoderGraph(OnnxGraph.read(export.graph()));
    Map<String, Integer> holders = new HashMap<>();
    for (int layer = 0; layer < decoder.layers(); layer++) {
      SegmentModel segment = SegmentExtractor.extract(decoder, SegmentSpec.of(layer, layer + 1));
      Set<String> names = refersTo(segment.bytes(), segment.folder(), export);
      names.forEach(name -> holders.merge(name, 1, Integer::sum));
    }
    assertThat(holders).isNotEmpty();
    assertThat(holders.keySet()).isEqualTo(largeWeights(export).keySet());
    Set<String> shared = new HashSet<>(holders.keySet());
    shared.removeIf(name -> holders.get(name) == 1);
    assertThat(shared).isEqualTo(rotaryTables(export));
  }

  /** The large cosines and sines of fused rotary embeddings, which every layer reads. */
  private static Set<String> rotaryTables(ExportFixture export) {
    return parsed(read(export.graph())).getGraph().getNodeList().stream()
        .filter(node -> node.getOpType().equals("RotaryEmbedding"))
        .flatMap(node -> node.getInputList().stream().skip(2))
        .filter(largeWeights(export)::containsKey)
        .collect(Collectors.toSet());
  }

  @ParameterizedTest
  @MethodSource("towers")
  void towersReferToTheBytesOfTheFile(ExportFixture export) {
    OnnxGraph graph = OnnxGraph.read(export.graph());
    VisionGraph tower = new VisionGraph(graph);
    List<Expression> taps = new ArrayList<>();
    for (int layer = 0; layer < tower.layers(); layer++) {
      if (!tower.isWindowed(layer)) {
        taps.add(Observe.attentionReceived(layer));
      }
    }
    assertThat(refersTo(tower.withTaps(taps), graph.folder(), export))
        .isEqualTo(largeWeights(export).keySet());
  }

  @ParameterizedTest
  @MethodSource("runnable")
  void theSameBitsWithWeightsInsideAndOutside(ExportFixture export) {
    DecoderGraph decoder = new DecoderGraph(OnnxGraph.read(export.graph()));
    SegmentModel segment = SegmentExtractor.extract(decoder, SegmentSpec.of(0, decoder.layers()));
    ModelProto.Builder inlined = parsed(segment.bytes()).toBuilder();
    for (TensorProto.Builder weight : inlined.getGraphBuilder().getInitializerBuilderList()) {
      if (isExternal(weight.build())) {
        weight.setRawData(data(weight.build(), segment.folder()));
        weight.clearExternalData().clearDataLocation();
      }
    }
    List<float[]> outside = logits(segment.bytes(), segment.folder(), export);
    List<float[]> inside = logits(inlined.build().toByteArray(), segment.folder(), export);
    assertThat(outside).hasSameSizeAs(inside).isNotEmpty();
    for (int step = 0; step < outside.size(); step++) {
      assertThat(outside.get(step)).as("step %d", step).isEqualTo(inside.get(step));
    }
  }

  private List<float[]> logits(byte[] model, Path folder, ExportFixture export) {
    List<float[]> logits = new ArrayList<>();
    try (ModelSession session = sessions.open(model, folder.toAbsolutePath(), export.name())) {
      new UnsplitRun(session, export, sessions).run(logits);
    }
    return logits;
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama-ts-eager-14", "llama-q8", "vision-clip-ts-eager-14"})
  void refusesAFileThatEndsWithinAWeight(String name) throws IOException {
    ExportFixture export = ExportFixture.named(name);
    byte[] whole = read(export.graph());
    Path file = temp.resolve("split.onnx");
    for (TensorProto weight : references(export)) {
      int begin = Integer.parseInt(entry(weight, "offset"));
      int middle = begin + Integer.parseInt(entry(weight, "length")) / 2;
      Files.write(file, Arrays.copyOf(whole, middle));
      assertThatThrownBy(() -> OnnxGraph.read(file))
          .as(weight.getName())
          .isInstanceOf(ModelException.class)
          .hasMessageContaining("ends early")
          .hasMessageContaining("download or export it again");
    }
  }

  /** References to the large weights of a file, as what is extracted from it holds them. */
  private static List<TensorProto> references(ExportFixture export) {
    OnnxGraph graph = OnnxGraph.read(export.graph());
    byte[] model;
    if (export.json().get("kind").asText().equals("vision")) {
      model = new VisionGraph(graph).withTaps(List.of());
    } else {
      DecoderGraph decoder = new DecoderGraph(graph);
      model = SegmentExtractor.extract(decoder, SegmentSpec.of(0, decoder.layers())).bytes();
    }
    List<TensorProto> weights =
        parsed(model).getGraph().getInitializerList().stream()
            .filter(EmbeddedExportsTest::isExternal)
            .toList();
    assertThat(weights).isNotEmpty();
    return weights;
  }
}
