package dev.squint.family.qwenvl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import com.fasterxml.jackson.databind.JsonNode;
import dev.squint.Squint;
import dev.squint.engine.VisionLanguageModel;
import dev.squint.engine.options.ModelOptions;
import dev.squint.engine.request.Generation;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.error.ModelException;
import dev.squint.family.ImageOptions;
import dev.squint.family.ModelFamily;
import dev.squint.family.PromptImage;
import dev.squint.fixtures.TestCache;
import dev.squint.image.OpenCv;
import dev.squint.onnx.internal.graph.GraphNodes;
import dev.squint.pruning.Strategies;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The Qwen2.5-VL fixture laid out as onnxruntime-genai has its models, without config.json, and as
 * Mobius has them.
 */
class OtherLayoutsTest {

  private static final long IMAGE = 262;

  @TempDir Path temp;

  private QwenFolder folder;

  @BeforeAll
  static void loadOpenCv() {
    OpenCv.load(TestCache.FOLDER);
  }

  @BeforeEach
  void copy() throws IOException {
    folder = QwenFolder.of("qwen25vl").copyTo(temp.resolve("model"));
    folder.graph("embed_tokens", model -> withMerge(model, false));
  }

  private void move(String graph, String target) throws IOException {
    Path to = folder.path().resolve(target);
    Files.createDirectories(to.getParent());
    Files.move(folder.path().resolve("onnx").resolve(graph + ".onnx"), to);
  }

  private void layOutAsGenai() throws IOException {
    move("vision_encoder", "vision.onnx");
    move("embed_tokens", "embedding.onnx");
    move("decoder_model_merged", "text.onnx");
    for (String other : List.of("config", "generation_config", "preprocessor_config")) {
      Files.delete(folder.path().resolve(other + ".json"));
    }
    write("genai_config.json");
    write("processor_config.json");
  }

  private void write(String name) throws IOException {
    try (var in = OtherLayoutsTest.class.getResourceAsStream("genai-" + name)) {
      Files.write(folder.path().resolve(name), in.readAllBytes());
    }
  }

  /** The graph puts {@code image_features} in the places of the image token. */
  private static ModelProto withMerge(ModelProto model, boolean deepStack) {
    GraphProto.Builder graph = model.getGraph().toBuilder();
    List<ai.onnx.proto.OnnxMl.NodeProto> before = graph.getNodeList();
    graph.clearNode();
    before.forEach(node -> graph.addNode(GraphNodes.renamed(node, "inputs_embeds", "text_embeds")));
    graph.addInput(GraphNodes.value("image_features", GraphNodes.FLOAT, "tokens", 48L));
    GraphNodes nodes = new GraphNodes(graph, 17);
    String places =
        nodes.transpose(
            nodes.op("NonZero", nodes.op("Equal", "input_ids", nodes.constant(IMAGE))), 1, 0);
    nodes.op("ScatterND", List.of("text_embeds", places, "image_features"), "inputs_embeds");
    if (deepStack) {
      layDeepStack(graph, nodes, places);
    }
    return model.toBuilder().setGraph(graph).build();
  }

  @Test
  void genaiFoldersAnswerAsTheSameModelInHubLayout() throws IOException {
    layOutAsGenai();
    assertAnswers();
  }

  @Test
  void mobiusFoldersAnswerAsTheSameModelInHubLayout() throws IOException {
    move("vision_encoder", "vision_encoder/model.onnx");
    move("embed_tokens", "embedding/model.onnx");
    move("decoder_model_merged", "decoder/model.onnx");
    assertAnswers();
  }

  /** Mobius carries DeepStack features through its embedding graph, which lays them. */
  @Test
  void mobiusFoldersTakeDeepStackThroughTheirEmbeddingGraph() throws IOException {
    folder = QwenFolder.of("qwen3vl").copyTo(temp.resolve("deep"));
    folder.graph("embed_tokens", model -> withMerge(model, true));
    folder.graph("vision_encoder", DeepStackGraphs::packed);
    move("vision_encoder", "vision_encoder/model.onnx");
    move("embed_tokens", "embedding/model.onnx");
    move("decoder_model_merged", "decoder/model.onnx");
    assertAnswers();
  }

  /** With a second output, {@code [levels, 1, tokens, width]}, that needs features of images. */
  private static void layDeepStack(GraphProto.Builder graph, GraphNodes nodes, String places) {
    graph.addInput(GraphNodes.value("deepstack_features", GraphNodes.FLOAT, 2L, "tokens", 48L));
    String none = nodes.op("Mul", "text_embeds", nodes.scalar(0f));
    String[] levels = new String[2];
    for (int level = 0; level < levels.length; level++) {
      String features = nodes.gather("deepstack_features", nodes.scalar((long) level), 0);
      levels[level] =
          nodes.op("Unsqueeze", nodes.op("ScatterND", none, places, features), nodes.constant(0));
    }
    nodes.identity(nodes.concat(0, levels), "deepstack_embeds");
    graph.addOutput(GraphNodes.shapeless("deepstack_embeds", GraphNodes.FLOAT));
  }

  private void assertAnswers() {
    ModelFamily.checkFolder(folder.path());
    try (VisionLanguageModel model =
            VisionLanguageModel.open(folder.path(), ModelOptions.builder().threads(1).build());
        ModelFamily family = ModelFamily.of(model)) {
      for (JsonNode chat : folder.reference().path("chats")) {
        List<PromptImage> images =
            folder.images(chat).stream()
                .map(image -> family.prepare(image, ImageOptions.DEFAULTS))
                .toList();
        Generation made =
            model.generate(
                family.prompts().prompt(QwenFolder.turns(chat), images),
                Strategies.parse("none"),
                GenerationOptions.builder().maxNewTokens(16).keepFirstLogits(true).build());
        assertThat(made.firstLogits())
            .containsExactly(QwenFolder.floats(chat.path("logits")), offset(1e-3f));
        assertThat(made.tokens()).isEqualTo(QwenFolder.longs(chat.path("answer")));
      }
      assertThat(model.openTensors()).isZero();
    }
  }

  @Test
  void aStepForImagesThatIsNotKnownIsRefusedByName() throws IOException {
    layOutAsGenai();
    Path steps = folder.path().resolve("processor_config.json");
    Files.writeString(steps, Files.readString(steps).replace("Rescale", "Posterize"));
    assertThatThrownBy(() -> Squint.load(folder.path()))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("a step of type 'Posterize' is not known to Squint");
  }
}
