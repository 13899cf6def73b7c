package dev.squint.onnx.inspect;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.squint.error.ModelException;
import dev.squint.fixtures.ExportFixture;
import dev.squint.onnx.internal.decoder.DecoderGraph;
import dev.squint.onnx.internal.graph.OnnxGraph;
import dev.squint.onnx.internal.vision.TowerSizes;
import dev.squint.onnx.internal.vision.VisionGraph;
import dev.squint.onnx.report.ModelReport;
import dev.squint.onnx.report.PositionSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModelInspectorTest {

  private static final Path EXPORTS = Path.of("..", "fixtures", "data", "exports");
  private static final Path TINY = EXPORTS.resolveSibling("tiny-llava");

  @TempDir Path temp;

  static Stream<ExportFixture> decoders() {
    return ExportFixture.all("decoder").stream();
  }

  @ParameterizedTest
  @MethodSource("decoders")
  void everyDecoderCanBeSplitAndTappedInAllLayers(ExportFixture export) {
    ModelReport report = ModelInspector.inspect(export.graph(), "");
    ModelReport.Decoder decoder = report.decoder().orElseThrow();
    assertThat(decoder.layers()).isEqualTo(export.size("layers"));
    assertThat(decoder.unsplittable()).isEmpty();
    assertThat(decoder.untappable()).isEmpty();
    assertThat(decoder.attention()).hasSize(export.size("layers"));
    assertThat(decoder.positions().isControllable()).isTrue();
    String precision = report.graphs().get(0).summary().precision();
    String expected = export.json().get("precision").asText();
    assertThat(precision).isEqualTo(expected);
  }

  @ParameterizedTest
  @MethodSource("decoders")
  void sizesOfADecoderAreInItsGraph(ExportFixture export) {
    ModelReport.Decoder decoder =
        ModelInspector.inspect(export.graph(), "").decoder().orElseThrow();
    assertThat(decoder.heads()).contains(export.size("heads"));
    assertThat(decoder.kvHeads()).contains(export.size("kvHeads"));
    assertThat(decoder.headDim()).contains(export.size("headDim"));
    assertThat(decoder.hidden()).contains(export.size("hidden"));
    assertThat(decoder.vocabulary()).contains(export.size("vocabulary"));
    assertThat(new DecoderGraph(OnnxGraph.read(export.graph())).intermediate())
        .isEqualTo(
            export.name().equals("genai-llama-int4")
                ? 48
                : export.name().startsWith("genai") ? 24 : 16);
  }

  @ParameterizedTest
  @ValueSource(strings = {"clip", "siglip"})
  void sizesOfATowerAreInItsGraph(String kind) {
    List<ExportFixture> towers =
        ExportFixture.all("vision").stream()
            .filter(export -> export.name().startsWith("vision-" + kind))
            .toList();
    assertThat(towers).isNotEmpty();
    for (ExportFixture export : towers) {
      TowerSizes sizes = new VisionGraph(OnnxGraph.read(export.graph())).sizes();
      JsonNode grid = export.json().get("grid");
      int patches = grid.get(0).asInt() * grid.get(1).asInt();
      assertThat(sizes.hidden()).as(export.name()).isEqualTo(32);
      assertThat(sizes.intermediate()).as(export.name()).isEqualTo(48);
      assertThat(sizes.patchSize()).as(export.name()).isEqualTo(4);
      assertThat(sizes.heads()).as(export.name()).isIn(4L, -1L);
      assertThat(sizes.positions())
          .as(export.name())
          .isIn((long) patches + (kind.equals("clip") ? 1 : 0), -1L);
      if (export.hasReference()) {
        long[] features = export.shape("features");
        int tokens = (int) features[features.length - 2];
        assertThat(sizes.tokens(patches).orElse(tokens)).as(export.name()).isEqualTo(tokens);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "genai-llama-fp32, GroupQueryAttention, FUSED, onnxruntime-genai",
    "genai-llama-mha-fp32, MultiHeadAttention, INPUT, onnxruntime-genai",
    "genai-qwen25vl-fp32, GroupQueryAttention, INPUT_3D, onnxruntime-genai",
    "llama-dyn-23, ai.onnx.Attention, INPUT, torch.onnx (torch.export)",
    "llama-ts-counted, Softmax, COUNTED, torch.onnx (TorchScript)"
  })
  void encodingsAreRecognised(
      String name, String attention, PositionSource positions, String exporter) {
    ModelReport report = ModelInspector.inspect(EXPORTS.resolve(name).resolve("decoder.onnx"), "");
    ModelReport.Decoder decoder = report.decoder().orElseThrow();
    assertThat(decoder.attention().values()).containsOnly(attention);
    assertThat(decoder.positions()).isEqualTo(positions);
    assertThat(report.graphs().get(0).summary().exporter()).isEqualTo(exporter);
  }

  @Test
  void aHubFolderIsRead() {
    ModelReport report = ModelInspector.inspect(TINY, "");
    assertThat(report.layout()).isEqualTo("hub");
    assertThat(report.family()).contains("llava");
    assertThat(report.visualTokens()).contains(16);
    assertThat(report.graphs()).hasSize(3);
  }

  @Test
  void otherLayoutsAreFound() throws IOException {
    Path genai = Files.createDirectory(temp.resolve("genai"));
    copy("genai-llama-fp32", genai, "decoder.onnx", "decoder.onnx");
    copy("genai-llama-fp32", genai, "decoder.onnx.data", "decoder.onnx.data");
    Files.writeString(
        genai.resolve("genai_config.json"),
        "{\"model\":{\"decoder\":{\"filename\":\"decoder.onnx\"}}}");
    assertThat(ModelInspector.inspect(genai, "").layout()).isEqualTo("onnxruntime-genai");
    Path mobius = Files.createDirectories(temp.resolve("mobius/decoder")).getParent();
    copy("llama-ts-eager-14", mobius, "decoder.onnx", "decoder/model.onnx");
    assertThat(ModelInspector.inspect(mobius, "").layout()).isEqualTo("Mobius");
    Path hub = Files.createDirectories(temp.resolve("hub/onnx")).getParent();
    copy("llama-q4", hub, "decoder.onnx", "onnx/decoder_model_merged_q4.onnx");
    assertThat(ModelInspector.inspect(hub, "q4").graphs().get(0).summary().precision())
        .isEqualTo("int4");
    assertThatThrownBy(() -> ModelInspector.inspect(hub, "fp16"))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("onnx/decoder_model_merged_fp16.onnx");
    assertThatThrownBy(() -> ModelInspector.inspect(temp.resolve("nothing"), ""))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("no such model");
  }

  private static void copy(String export, Path folder, String from, String to) throws IOException {
    Files.copy(EXPORTS.resolve(export).resolve(from), folder.resolve(to));
  }

  @Test
  void aTowerIsToldFromItsInputs() {
    ModelReport report =
        ModelInspector.inspect(EXPORTS.resolve("vision-qwen25vl-ts").resolve("vision.onnx"), "");
    assertThat(report.decoder()).isEmpty();
    ModelReport.Vision tower = report.vision().orElseThrow();
    assertThat(tower.hasCls()).isFalse();
    assertThat(tower.windowed()).containsExactly(0, 2);
  }

  @Test
  void whatTheGraphLeavesOpenComesFromGenaiConfig() throws IOException {
    copy("genai-llama-fp32", temp, "decoder.onnx", "decoder.onnx");
    copy("genai-llama-fp32", temp, "decoder.onnx.data", "decoder.onnx.data");
    Files.writeString(
        temp.resolve("genai_config.json"),
        """
        {"model": {"type": "phi3v", "vocab_size": 64, "decoder": {"filename": "decoder.onnx",
        "num_attention_heads": 4, "head_size": 16}}}""");
    ModelReport report = ModelInspector.inspect(temp, "");
    assertThat(report.family()).contains("phi3v");
    ModelReport.Decoder decoder = report.decoder().orElseThrow();
    assertThat(decoder.heads()).contains(4);
    assertThat(decoder.headDim()).contains(16);
    assertThat(decoder.vocabulary()).as("the graph knows better than a config").contains(72);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[]",
        "{\"model\":{\"decoder\":{\"filename\":\"absent.onnx\"}}}",
        "{\"model\":{\"decoder\":{\"filename\":\"../decoder.onnx\"}}}"
      })
  void aGenaiFolderWithoutGraphsIsRefused(String config) throws IOException {
    Path model = Files.createDirectory(temp.resolve("genai"));
    copy("genai-llama-fp32", temp, "decoder.onnx", "decoder.onnx");
    Files.writeString(model.resolve("genai_config.json"), config);
    assertThatThrownBy(() -> ModelInspector.inspect(model, ""))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("names no graph inside its folder");
  }
}
