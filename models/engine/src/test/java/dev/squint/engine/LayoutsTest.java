package dev.squint.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import dev.squint.error.ModelException;
import dev.squint.fixtures.Share;
import dev.squint.onnx.config.ModelFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which files of a folder are taken, and what is said of those that cannot be. */
class LayoutsTest {

  private static final String LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:0\n";

  @TempDir Path temp;

  private static void opens(TinyFolder folder, String precision) {
    try (VisionLanguageModel model = folder.open(precision)) {
      assertThat(TinyLlava.answersAsPyTorchDoes(model)).isTrue();
    }
    assertThat(
            StrategySupport.of(folder.path(), precision, OptionalInt.empty(), List.of("fastv"))
                .strategies()
                .get("fastv"))
        .isEmpty();
  }

  private static void refuses(Path folder, String... parts) {
    assertThatThrownBy(() -> VisionLanguageModel.open(folder, TinyLlava.options()).close())
        .isInstanceOf(ModelException.class)
        .satisfies(
            e -> assertThat(e.getMessage()).contains(parts).doesNotContain("\n", "::", "dev."));
  }

  private static void rename(TinyFolder folder, String from, String to) throws IOException {
    Files.move(folder.graph(from), folder.graph(to));
  }

  @Test
  void graphsMayLieNextToTheConfig() throws IOException {
    TinyFolder folder = TinyFolder.in(temp);
    try (Stream<Path> graphs = Files.list(temp.resolve("onnx"))) {
      for (Path graph : graphs.toList()) {
        Files.move(graph, temp.resolve(graph.getFileName()));
      }
    }
    opens(folder, "");
    Files.createDirectories(temp.resolve("onnx/other"));
    opens(folder, "");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "fp32",
        "fp16",
        "q8",
        "q8f16",
        "q4",
        "q4f16",
        "bnb4",
        "int4",
        "int8",
        "uint8",
        "quantized",
        "q2",
        "q2f16",
        "q1",
        "q1f16",
        "bf16"
      })
  void everySuffixIsFound(String suffix) throws IOException {
    TinyFolder folder = TinyFolder.in(temp);
    for (String name : TinyFolder.GRAPHS) {
      rename(folder, name, name + "_" + suffix);
    }
    assertThat(files(folder, ""))
        .isEqualTo(files(folder, suffix))
        .hasSize(TinyFolder.GRAPHS.size())
        .allMatch(name -> name.endsWith("_" + suffix + ".onnx"));
    if (Share.has(suffix.hashCode(), 4)) {
      opens(folder, suffix);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"decoder_model", "decoder_with_past_model", "decoder", "model"})
  void aDecoderMayHaveAnotherName(String name) throws IOException {
    TinyFolder folder = TinyFolder.in(temp);
    rename(folder, "decoder_model_merged", name);
    assertThat(files(folder, "")).startsWith(name + ".onnx");
    if (Share.has(name.length(), 2)) {
      opens(folder, "");
    }
  }

  @Test
  void ofTwoDecodersTheOneThatReadsAPastIsTaken() throws IOException {
    TinyFolder folder = TinyFolder.in(temp);
    rename(folder, "decoder_model_merged", "decoder_with_past_model");
    Files.copy(folder.graph("vision_encoder"), folder.graph("decoder_model"));
    opens(folder, "");
    Files.delete(folder.graph("decoder_with_past_model"));
    refuses(temp, "decoder_model.onnx has not an input 'inputs_embeds'");
  }

  @Test
  void aPrecisionIsChosenForEachGraph() throws IOException {
    TinyFolder folder = TinyFolder.in(temp);
    Path exact = folder.graph("decoder_model_merged");
    Files.copy(exact, folder.graph("decoder_model_merged_q4"));
    assertThat(files(folder, ""))
        .containsExactly("decoder_model_merged.onnx", "vision_encoder.onnx", "embed_tokens.onnx");
    assertThat(files(folder, "q4"))
        .containsExactly(
            "decoder_model_merged_q4.onnx", "vision_encoder.onnx", "embed_tokens.onnx");
    opens(folder, "q4");
    rename(folder, "embed_tokens", "embed_tokens_fp16");
    rename(folder, "vision_encoder", "vision_encoder_mine");
    assertThat(files(folder, "mine"))
        .containsExactly(
            "decoder_model_merged.onnx", "vision_encoder_mine.onnx", "embed_tokens_fp16.onnx");
    assertThat(files(folder, "fp32")).startsWith("decoder_model_merged.onnx");
    assertThatThrownBy(() -> folder.open("q2"))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("no graph of precision 'q2'")
        .hasMessageContaining("there is fp16, fp32, mine, q4");
    for (String none : List.of("../x", "a/b", "\0", "x y")) {
      assertThatThrownBy(() -> folder.open(none))
          .isInstanceOf(ModelException.class)
          .hasMessageContaining("is no precision");
    }
  }

  private static List<String> files(TinyFolder folder, String precision) {
    ModelFiles found = ModelFiles.find(folder.path(), precision);
    return Stream.of(found.decoder(), found.vision(), found.embedding())
        .flatMap(Optional::stream)
        .map(file -> file.getFileName().toString())
        .toList();
  }

  @Test
  void weightsMayLieInSeveralFiles() throws IOException {
    TinyFolder folder = TinyFolder.in(temp);
    Path graph = folder.graph("decoder_model_merged");
    Path data = temp.resolve("onnx/decoder_model_merged.onnx_data");
    ModelProto.Builder model = ModelProto.parseFrom(Files.readAllBytes(graph)).toBuilder();
    int[] count = {0};
    model
        .getGraphBuilder()
        .getInitializerBuilderList()
        .forEach(
            weight ->
                weight.getExternalDataBuilderList().stream()
                    .filter(entry -> entry.getKey().equals("location"))
                    .forEach(
                        entry ->
                            entry.setValue(
                                new String[] {
                                      data.getFileName().toString(),
                                      data.getFileName() + "_1",
                                      "decoder_model_merged.onnx.data"
                                    }
                                    [count[0]++ % 3])));
    Files.write(graph, model.build().toByteArray());
    refuses(temp, "decoder_model_merged.onnx_data_1', which is missing");
    Files.copy(data, temp.resolve("onnx/decoder_model_merged.onnx_data_1"));
    Files.copy(data, temp.resolve("onnx/decoder_model_merged.onnx.data"));
    opens(folder, "");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "config.json",
        "generation_config.json",
        "onnx/vision_encoder.onnx",
        "onnx/embed_tokens.onnx",
        "onnx/decoder_model_merged.onnx",
        "onnx/decoder_model_merged.onnx_data"
      })
  void aGitLfsPointerIsCalledOne(String name) throws IOException {
    TinyFolder.in(temp);
    Files.writeString(temp.resolve(name), LFS + "size 1234567\n");
    refuses(temp, Path.of(name).getFileName() + " is a Git LFS pointer", "git lfs pull");
  }

  @ParameterizedTest
  @ValueSource(strings = {"vision_encoder", "embed_tokens", "decoder_model_merged"})
  void aFileNewerThanOnnxRuntimeIsRefusedBeforeItIsOpened(String name) throws IOException {
    TinyFolder folder = TinyFolder.in(temp);
    ModelProto model = ModelProto.parseFrom(Files.readAllBytes(folder.graph(name)));
    Files.write(folder.graph(name), model.toBuilder().setIrVersion(14).build().toByteArray());
    refuses(temp, name + ".onnx is of IR version 14, but ONNX Runtime reads up to 13; export");
    OperatorSetIdProto newer = model.getOpsetImport(0).toBuilder().setVersion(27).build();
    Files.write(
        folder.graph(name), model.toBuilder().setOpsetImport(0, newer).build().toByteArray());
    refuses(temp, name + ".onnx is written in opset 27, but ONNX Runtime reads up to 26; export");
    OperatorSetIdProto newest = newer.toBuilder().setVersion(26).build();
    Files.write(
        folder.graph(name),
        model.toBuilder().setIrVersion(13).setOpsetImport(0, newest).build().toByteArray());
    try (VisionLanguageModel opened = folder.open()) {
      assertThat(opened.facts().visualTokens()).isEqualTo(16);
    } catch (ModelException e) {
      assertThat(e.getMessage())
          .as("an operator of opset 14 may be gone")
          .doesNotContain("reads up");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"Infinity", "-Infinity", "NaN"})
  void numbersThatOnlyPythonWritesAreNamed(String number) throws IOException {
    TinyFolder.in(temp);
    Path config = temp.resolve("config.json");
    Files.writeString(
        config, Files.readString(config).replaceFirst("\\{", "{\"extra\": " + number + ","));
    refuses(temp, "config.json is not valid JSON", "Infinity or NaN", "write a number");
  }

  @Test
  void anotherFolderThanTheModelsIsAnsweredWithTheRightOne() throws IOException {
    Path model = Files.createDirectories(temp.resolve("downloads/llava"));
    TinyFolder folder = TinyFolder.in(model);
    refuses(temp.resolve("downloads"), "no such file", "so name that folder", "llava");
    refuses(model.resolve("onnx"), "there is one in the folder above", "llava");
    refuses(
        folder.graph("vision_encoder"), "vision_encoder.onnx is a file", "name the model's folder");
    refuses(temp.resolve("nowhere"), "no such model folder");
  }

  @Test
  void otherLayoutsAreReadByTheSameReader() throws IOException {
    TinyFolder folder = TinyFolder.in(temp);
    for (String[] move :
        new String[][] {
          {"decoder_model_merged.onnx", "decoder/model.onnx"},
          {"decoder_model_merged.onnx_data", "decoder/decoder_model_merged.onnx_data"},
          {"vision_encoder.onnx", "vision_encoder/model.onnx"},
          {"embed_tokens.onnx", "embedding/model.onnx"}
        }) {
      Files.createDirectories(temp.resolve(move[1]).getParent());
      Files.move(temp.resolve("onnx").resolve(move[0]), temp.resolve(move[1]));
    }
    opens(folder, "");
    Files.delete(temp.resolve("embedding/model.onnx"));
    refuses(temp, "in Mobius layout", "embed_tokens.onnx");
    Files.writeString(
        temp.resolve("genai_config.json"),
        """
        {"model": {"decoder": {"filename": "decoder/model.onnx"},
          "vision": {"filename": "vision_encoder/model.onnx"}}}""");
    refuses(temp, "in onnxruntime-genai layout", "embed_tokens.onnx");
  }

  @Test
  void whatTheGraphsTakeIsCheckedBeforeTheyRun() throws IOException {
    TinyFolder folder = TinyFolder.in(temp);
    Path graph = folder.graph("decoder_model_merged");
    ModelProto.Builder model = ModelProto.parseFrom(Files.readAllBytes(graph)).toBuilder();
    model
        .getGraphBuilder()
        .getInputBuilderList()
        .get(0)
        .getTypeBuilder()
        .getTensorTypeBuilder()
        .getShapeBuilder()
        .getDimBuilder(1)
        .setDimValue(1);
    Files.write(graph, model.build().toByteArray());
    refuses(temp, "takes exactly 1 tokens at once");
  }

  @Test
  void aModelOpensInThePrecisionThatIsThere() throws IOException {
    Path graphs = Files.createDirectories(temp.resolve("llava/onnx"));
    for (String file : List.of("config.json", "generation_config.json")) {
      Files.copy(TinyLlava.folder().resolve(file), graphs.getParent().resolve(file));
    }
    Path from = TinyLlava.folder().resolve("onnx");
    for (String name : List.of("decoder_model_merged", "embed_tokens", "vision_encoder")) {
      Files.copy(from.resolve(name + ".onnx"), graphs.resolve(name + "_q4.onnx"));
    }
    Files.copy(
        from.resolve("decoder_model_merged.onnx_data"),
        graphs.resolve("decoder_model_merged.onnx_data"));
    try (VisionLanguageModel model =
        VisionLanguageModel.open(graphs.getParent(), TinyLlava.options())) {
      assertThat(model.facts().decoder().layers()).isEqualTo(TinyLlava.LAYERS);
    }
  }
}
