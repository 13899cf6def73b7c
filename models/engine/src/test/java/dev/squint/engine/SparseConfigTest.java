package dev.squint.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.squint.error.ModelException;
import dev.squint.onnx.config.ModelConfig;
import dev.squint.onnx.internal.config.ConfigReader;
import dev.squint.pruning.shape.DecoderShape;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.shape.VisionShape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Sizes come from the graphs, else from the config, else from the class of its model_type. */
class SparseConfigTest {

  @TempDir Path temp;

  private ModelShape facts(Consumer<ObjectNode> change) throws IOException {
    try (VisionLanguageModel model = TinyFolder.in(temp).config(change).open()) {
      assertThat(TinyFolder.answer(model, 4)).hasSizeGreaterThan(0);
      return model.facts();
    }
  }

  private static void keep(ObjectNode root, String part, String... fields) {
    TinyFolder.part(root, part).retain(List.of(fields));
  }

  @Test
  void thePublishedConfigOfLlavaIsEnough() throws IOException {
    ModelShape facts =
        facts(
            root -> {
              keep(root, "text_config", "max_position_embeddings", "model_type", "vocab_size");
              keep(root, "vision_config", "model_type", "num_attention_heads");
            });
    assertThat(facts.decoder()).isEqualTo(new DecoderShape(4, 32, 4, 2, 8, 64, 64));
    assertThat(facts.vision())
        .as("and of the tower only what no weight has the shape of")
        .isEqualTo(
            VisionShape.builder()
                .layers(2)
                .hidden(32)
                .heads(4)
                .intermediate(64)
                .grid(4, 4)
                .patchDim(192)
                .cls(true)
                .projectorHidden(32)
                .build());
    assertThat(facts.ropeTheta()).isEqualTo(10_000);
  }

  @Test
  void withoutAnyPartTheDefaultsOfLlavaStand() throws IOException {
    Path folder = TinyFolder.in(temp).path();
    Files.writeString(
        folder.resolve("config.json"), "{\"model_type\": \"llava\", \"image_token_index\": 3}");
    ModelConfig written = ConfigReader.read(folder);
    assertThat(written.text())
        .isEqualTo(new ModelConfig.Text(32, 4096, 32, 32, 128, 11008, 32000, 10_000));
    assertThat(written.vision()).isEqualTo(new ModelConfig.Vision(23, 1024, 16, 4096, 336, 14));
    assertThat(written.contextLength()).isEqualTo(2048);
    assertThat(written.visualTokens()).isEqualTo(576);
    try (VisionLanguageModel model = new TinyFolder(folder).open()) {
      assertThat(model.facts().decoder()).isEqualTo(new DecoderShape(4, 32, 4, 2, 8, 64, 64));
      assertThat(model.facts().vision().patches()).isEqualTo(16);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "llama, 4096, 32, 32, 128, 11008, 32000, 2048, 10000",
    "mistral, 4096, 32, 8, 128, 14336, 32000, 131072, 10000",
    "qwen2, 4096, 32, 32, 128, 22016, 151936, 32768, 10000",
    "phi, 2048, 32, 32, 64, 8192, 51200, 2048, 10000",
    "gemma, 3072, 16, 16, 256, 24576, 256000, 8192, 10000",
    "smollm3, 2048, 16, 4, 128, 11008, 128256, 32768, 2000000"
  })
  void aClassHasSizesOfItsOwn(
      String type,
      int hidden,
      int heads,
      int kvHeads,
      int headDim,
      int intermediate,
      int vocabulary,
      int context,
      double theta)
      throws IOException {
    Files.writeString(
        temp.resolve("config.json"),
        """
        {"model_type": "llava", "image_token_index": 3, "eos_token_id": 1,
         "text_config": {"model_type": "%s"}, "vision_config": {"model_type": "siglip_vision_model"}}"""
            .formatted(type));
    ModelConfig config = ConfigReader.read(temp);
    ModelConfig.Text text = config.text();
    assertThat(text)
        .isEqualTo(
            new ModelConfig.Text(
                text.layers(), hidden, heads, kvHeads, headDim, intermediate, vocabulary, theta));
    assertThat(config.contextLength()).isEqualTo(context);
    assertThat(config.vision().patchSize()).isEqualTo(16);
    assertThat(config.visualTokens()).isEqualTo(196);
  }

  @Test
  void kvHeadsFollowTheOtherSizesAsInTheClass() throws IOException {
    Files.writeString(
        temp.resolve("config.json"),
        """
        {"model_type": "llava", "image_token_index": 3, "eos_token_id": 1,
         "text_config": {"hidden_size": 512, "num_attention_heads": 8}}""");
    assertThat(ConfigReader.read(temp).text().kvHeads()).isEqualTo(8);
    assertThat(ConfigReader.read(temp).text().headDim()).isEqualTo(64);
  }

  @Test
  void anUnknownDecoderIsTakenIfItsGraphAndConfigTellEnough() throws IOException {
    TinyFolder folder = TinyFolder.in(temp);
    folder.config(root -> TinyFolder.part(root, "text_config").put("model_type", "newfangled"));
    folder.open().close();
    folder.config(root -> TinyFolder.part(root, "text_config").remove("max_position_embeddings"));
    assertThatThrownBy(() -> folder.open().close())
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("text_config.max_position_embeddings")
        .hasMessageContaining("model_type 'newfangled'");
  }

  @ParameterizedTest
  @CsvSource({"pixtral", "qwen2_vl_vision", "siglip2_vision_model", "no such tower"})
  void aTowerThatIsFedOtherwiseIsRefusedByName(String type) throws IOException {
    TinyFolder folder = TinyFolder.in(temp);
    folder.config(root -> TinyFolder.part(root, "vision_config").put("model_type", type));
    assertThatThrownBy(() -> folder.open().close())
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("config.json: the vision tower is of model_type '" + type + "'");
  }

  @Test
  void whatTheGraphKnowsBetterDoesNotCount() throws IOException {
    ModelShape facts =
        facts(
            root -> {
              TinyFolder.part(root, "text_config")
                  .put("vocab_size", 70)
                  .put("num_attention_heads", 8)
                  .put("num_key_value_heads", 8)
                  .put("head_dim", 4)
                  .put("intermediate_size", 99);
              TinyFolder.part(root, "vision_config")
                  .put("image_size", 64)
                  .put("patch_size", 4)
                  .put("hidden_size", 99)
                  .put("intermediate_size", 99)
                  .put("num_hidden_layers", 9);
            });
    assertThat(facts.decoder()).isEqualTo(new DecoderShape(4, 32, 4, 2, 8, 64, 64));
    assertThat(facts.vision().patches()).isEqualTo(16);
    assertThat(facts.vision().hidden()).isEqualTo(32);
    assertThat(facts.vision().intermediate()).isEqualTo(64);
    assertThat(facts.vision().layers()).isEqualTo(2);
  }

  @ParameterizedTest
  @CsvSource({
    "num_hidden_layers, 7, says 7 decoder layers",
    "hidden_size, 64, says a hidden size of 64"
  })
  void filesOfTwoModelsAreRefused(String field, int value, String sentence) throws IOException {
    TinyFolder folder = TinyFolder.in(temp);
    folder.config(root -> TinyFolder.part(root, "text_config").put(field, value));
    assertThatThrownBy(() -> folder.open().close())
        .isInstanceOf(ModelException.class)
        .hasMessageContaining(sentence)
        .hasMessageContaining("the files do not belong together");
  }

  @Test
  void anUnknownChoiceOfFeaturesIsRefused() throws IOException {
    TinyFolder folder = TinyFolder.in(temp);
    folder.config(root -> root.put("vision_feature_select_strategy", "cls_only"));
    assertThatThrownBy(() -> folder.open().close())
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("'vision_feature_select_strategy' has to be default or full");
  }

  @Test
  void severalFeatureLayersAreTaken() throws IOException {
    facts(root -> root.putArray("vision_feature_layer").add(-2).add(-3));
    assertThat(ConfigReader.read(temp).vision().layers()).isEqualTo(2);
  }
}
