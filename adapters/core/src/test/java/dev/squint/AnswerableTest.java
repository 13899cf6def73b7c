package dev.squint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.squint.engine.options.ModelOptions;
import dev.squint.error.ModelException;
import dev.squint.fixtures.TestCache;
import dev.squint.image.ImageInput;
import dev.squint.overlay.OverlayException;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What is called answerable is answered, and what is not is refused in the same sentence. */
class AnswerableTest {

  private static final String QUESTION = "how many circles are there?";
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir static Path shared;

  @TempDir Path folder;

  private static Path embedded;
  private static Path image;

  @FunctionalInterface
  private interface Change {
    void of(Path folder) throws IOException;
  }

  @BeforeAll
  static void unpack() throws IOException {
    try (Squint squint = Squint.load(options())) {
      embedded = squint.folder();
    }
    image = shared.resolve("image.png");
    ImageIO.write(new BufferedImage(96, 96, BufferedImage.TYPE_INT_RGB), "png", image.toFile());
  }

  private static ModelOptions options() {
    return ModelOptions.builder().cacheFolder(TestCache.FOLDER).build();
  }

  private static Arguments yes(String name, Change change) {
    return Arguments.of(name, change, true);
  }

  private static Arguments no(String name, Change change) {
    return Arguments.of(name, change, false);
  }

  private static void pointer(Path file) throws IOException {
    Files.delete(file);
    Files.writeString(file, "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n");
  }

  private static void json(Path file, Consumer<ObjectNode> change) throws IOException {
    ObjectNode root = (ObjectNode) JSON.readTree(file.toFile());
    change.accept(root);
    Files.delete(file);
    JSON.writeValue(file.toFile(), root);
  }

  /** The first node becomes one that no runtime has. */
  private static void unknownOperator(Path file) throws IOException {
    ModelProto.Builder model = ModelProto.parseFrom(Files.readAllBytes(file)).toBuilder();
    model.getGraphBuilder().getNodeBuilder(0).setOpType("Frobnicate");
    Files.delete(file);
    Files.write(file, model.build().toByteArray());
  }

  private static void rename(Path onnx, String suffix) throws IOException {
    for (String name : List.of("decoder_model_merged", "embed_tokens", "vision_encoder")) {
      Files.move(onnx.resolve(name + ".onnx"), onnx.resolve(name + suffix + ".onnx"));
    }
  }

  static Stream<Arguments> folders() {
    return Stream.of(
        yes("as it is", model -> {}),
        yes(
            "graphs next to the config",
            model -> {
              try (Stream<Path> graphs = Files.list(model.resolve("onnx"))) {
                for (Path graph : graphs.toList()) {
                  Files.move(graph, model.resolve(graph.getFileName()));
                }
              }
            }),
        yes("another suffix", model -> rename(model.resolve("onnx"), "_q2f16")),
        yes(
            "a sparse config",
            model ->
                json(
                    model.resolve("config.json"),
                    root -> {
                      ((ObjectNode) root.get("text_config")).retain("max_position_embeddings");
                      ((ObjectNode) root.get("vision_config")).retain("image_size");
                      root.put("image_seq_length", 576);
                    })),
        no("no config", model -> Files.delete(model.resolve("config.json"))),
        no("no embeddings", model -> Files.delete(model.resolve("onnx/embed_tokens.onnx"))),
        no("no tokenizer", model -> Files.delete(model.resolve("tokenizer.json"))),
        no("tokenizer in LFS", model -> pointer(model.resolve("tokenizer.json"))),
        no("processor in LFS", model -> pointer(model.resolve("preprocessor_config.json"))),
        no("tower in LFS", model -> pointer(model.resolve("onnx/vision_encoder.onnx"))),
        no(
            "another family",
            model ->
                json(model.resolve("config.json"), root -> root.put("model_type", "qwen2_vl"))),
        no(
            "beam search",
            model ->
                json(model.resolve("generation_config.json"), root -> root.put("num_beams", 5))),
        no(
            "an operator of the tower that is not there",
            model -> unknownOperator(model.resolve("onnx/vision_encoder.onnx"))),
        no(
            "an operator of the decoder that is not there",
            model -> unknownOperator(model.resolve("onnx/decoder_model_merged.onnx"))));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("folders")
  void inspectionAndQuestionAgree(String name, Change change, boolean answers) throws IOException {
    Path model = copy();
    change.of(model);
    Answerable answerable = Squint.answerable(model, options());
    Optional<String> refusal = ask(model);
    assertThat(answerable.refusal()).isEqualTo(refusal);
    assertThat(refusal.isEmpty()).as("%s", refusal).isEqualTo(answers);
    assertThat(answerable.visualTokens().isPresent()).isEqualTo(answers);
    refusal.ifPresent(
        sentence ->
            assertThat(sentence).doesNotContain("\n", "::", "java.", "com.").hasSizeLessThan(600));
  }

  @Test
  void aLargeModelIsReadAndNotOpened() throws IOException {
    Path model = copy();
    long bytes;
    try (Stream<Path> files = Files.walk(model)) {
      bytes = files.filter(Files::isRegularFile).mapToLong(file -> file.toFile().length()).sum();
    }
    Answerable small = Squint.answerable(model, options(), bytes);
    assertThat(small.opened()).isTrue();
    unknownOperator(model.resolve("onnx/decoder_model_merged.onnx"));
    assertThat(Squint.answerable(model, options(), bytes + 1000).refusal()).isPresent();
    Answerable large = Squint.answerable(model, options(), 1 << 20);
    assertThat(large.refusal()).isEmpty();
    assertThat(large.opened()).isFalse();
  }

  private Path copy() throws IOException {
    Path model = folder.resolve("model");
    try (Stream<Path> files = Files.walk(embedded)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path target = model.resolve(embedded.relativize(file).toString());
        Files.createDirectories(target.getParent());
        Files.copy(file, target);
      }
    }
    return model;
  }

  /** The last slice of the tower is what leaves [CLS] out. */
  @Test
  void aModelThatKeepsClsAnswersAndDrawsNothing() throws IOException {
    Path model = copy();
    Path tower = model.resolve("onnx/vision_encoder.onnx");
    ModelProto.Builder graph = ModelProto.parseFrom(Files.readAllBytes(tower)).toBuilder();
    int last = graph.getGraph().getNodeCount() - 1;
    while (!graph.getGraph().getNode(last).getOpType().equals("Slice")) {
      last--;
    }
    NodeProto slice = graph.getGraph().getNode(last);
    graph
        .getGraphBuilder()
        .setNode(
            last,
            NodeProto.newBuilder()
                .setOpType("Identity")
                .addInput(slice.getInput(0))
                .addOutput(slice.getOutput(0)));
    Files.delete(tower);
    Files.write(tower, graph.build().toByteArray());
    json(model.resolve("config.json"), root -> root.put("vision_feature_select_strategy", "full"));
    try (Squint squint = Squint.load(model, options())) {
      assertThat(squint.facts().visualTokens()).isEqualTo(577);
      Answer answer = squint.ask(image, QUESTION, "fastv:k=2,keep=0.5");
      assertThat(answer.trace().visualTokens()).isEqualTo(577);
      assertThatThrownBy(() -> squint.overlay(ImageInput.of(image), answer.trace()))
          .isInstanceOf(OverlayException.class)
          .hasMessageContaining("became 577 visual tokens")
          .hasMessageContaining("576 patches");
    }
  }

  private static Optional<String> ask(Path model) {
    try (Squint squint = Squint.load(model, options())) {
      assertThat(squint.ask(image, QUESTION).text()).isNotNull();
      return Optional.empty();
    } catch (ModelException e) {
      return Optional.of(e.getMessage());
    }
  }

  @Test
  void aFileIsNoModelFolder() {
    assertThat(Squint.answerable(embedded.resolve("onnx/embed_tokens.onnx"), options()).refusal())
        .hasValueSatisfying(sentence -> assertThat(sentence).contains("is a file; name the model"));
  }
}
