package dev.squint.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException;
import dev.squint.fixtures.Share;
import dev.squint.onnx.config.DecodingRules;
import dev.squint.onnx.internal.config.ConfigReader;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.StrategyType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** With other settings and other towers the answers are those of transformers. */
class LlavaCasesTest {

  private static final List<String> TOWERS =
      List.of("clip-full", "clip-layers", "siglip-default", "siglip-full");

  @TempDir Path temp;

  private static Stream<JsonNode> cases(String kind) throws IOException {
    JsonNode all =
        new ObjectMapper().readTree(TinyFolder.cases().resolve("reference.json").toFile());
    return StreamSupport.stream(all.get(kind).spliterator(), false);
  }

  static Stream<JsonNode> settings() throws IOException {
    return cases("settings");
  }

  static Stream<JsonNode> towers() throws IOException {
    return cases("towers");
  }

  @ParameterizedTest
  @MethodSource("settings")
  void settingsOfGenerationCount(JsonNode expected) throws IOException {
    TinyFolder folder = TinyFolder.in(temp);
    ObjectNode settings = ((ObjectNode) expected.get("settings")).deepCopy();
    if (!settings.has("eos_token_id")) {
      settings.put("eos_token_id", 0);
    }
    Files.writeString(temp.resolve("generation_config.json"), settings.toString());
    try (VisionLanguageModel model = folder.open()) {
      assertThat(TinyFolder.best(model, 12)).isEqualTo(TinyLlava.longs(expected.get("tokens")));
    }
  }

  private TinyFolder folder(JsonNode expected) throws IOException {
    String tower = expected.get("tower").asText();
    return TinyFolder.in(temp)
        .tower(tower)
        .json("generation_config.json", root -> root.put("eos_token_id", 0))
        .config(
            root -> {
              root.put("vision_feature_select_strategy", expected.get("strategy").asText());
              root.put("image_seq_length", 576);
              if (expected.has("layers")) {
                root.set("vision_feature_layer", expected.get("layers"));
              }
              if (tower.startsWith("siglip")) {
                root.put("vision_feature_layer", -1);
                TinyFolder.part(root, "vision_config").put("model_type", "siglip_vision_model");
              }
            });
  }

  @ParameterizedTest
  @MethodSource("towers")
  void theTowerDecidesHowManyVisualTokensThereAre(JsonNode expected) throws IOException {
    try (VisionLanguageModel model = folder(expected).open()) {
      assertThat(model.config().visualTokens()).isEqualTo(expected.get("visual").asInt());
      assertThat(model.facts().visualTokens()).isEqualTo(expected.get("visual").asInt());
      assertThat(model.facts().vision().patches()).isEqualTo(16);
      assertThat(TinyFolder.answer(model, 12)).isEqualTo(TinyLlava.longs(expected.get("tokens")));
      assertThat(model.openTensors()).isZero();
    }
  }

  /**
   * Features of an early layer beside those of the last change nothing in what layers attend to.
   */
  @Test
  void layersOfATowerWithSeveralFeatureLayersAreToldApart() throws IOException {
    JsonNode layers = towers().filter(one -> one.has("layers")).findFirst().orElseThrow();
    int[] kept;
    try (VisionLanguageModel model = folder(layers).open()) {
      assertThat(model.facts().vision().layers()).isEqualTo(2);
      assertThat(model.facts().vision().hasCls()).isTrue();
      kept = kept(model);
    }
    try (VisionLanguageModel plain = TinyLlava.open()) {
      assertThat(kept).containsExactly(kept(plain));
    }
  }

  private static int[] kept(VisionLanguageModel model) {
    return model
        .generate(
            TinyLlava.prompt(),
            Strategies.parse("fastervlm:tokens=5"),
            GenerationOptions.builder().maxNewTokens(1).build())
        .trace()
        .sites()
        .get(0)
        .keptOriginal();
  }

  /**
   * Those that act before the decoder on one of the towers each, every third of the others; with
   * {@code -Pfull} all on all.
   */
  @ParameterizedTest
  @MethodSource("towers")
  void everyStrategyActsOrSaysWhyNotAndInspectAgrees(JsonNode expected) throws IOException {
    try (VisionLanguageModel model = folder(expected).open()) {
      int visual = model.config().visualTokens();
      List<String> names = new ArrayList<>();
      int turn = TOWERS.indexOf(expected.get("tower").asText());
      for (StrategyType<?> type : Strategies.available()) {
        int each = actsBeforeTheDecoder(type.name(), model) ? 1 : 3;
        if (Share.has(turn++, each * TOWERS.size())) {
          names.add(type.name());
        }
      }
      Map<String, Optional<String>> said =
          StrategySupport.of(temp, "", OptionalInt.of(visual), names).strategies();
      int acted = 0;
      for (String name : names) {
        Optional<String> refusal = Optional.empty();
        try {
          TinyFolder.answer(model, 3, Strategies.parse(name));
          acted++;
        } catch (SquintException e) {
          refusal = Optional.of(e.getMessage());
          assertThat(e.getMessage()).doesNotContain("\n").hasSizeLessThan(600);
        }
        assertThat(said.get(name).isPresent())
            .as("%s: %s, %s", name, refusal, said.get(name))
            .isEqualTo(refusal.isPresent());
      }
      assertThat(acted).isGreaterThan(Share.isWhole() ? 5 : 1);
      assertThat(model.openTensors()).isZero();
    }
  }

  private static boolean actsBeforeTheDecoder(String name, VisionLanguageModel model) {
    try {
      return Strategies.parse(name).plan(model.facts()).stream()
          .anyMatch(plan -> plan.site().depth() < 0);
    } catch (SquintException e) {
      return true;
    }
  }

  @ParameterizedTest
  @CsvSource({"clip-full,default", "siglip-default,full", "siglip-full,default"})
  void featuresThatTheConfigDoesNotChooseAreRefused(String tower, String strategy)
      throws IOException {
    TinyFolder folder = TinyFolder.in(temp).tower(tower);
    folder.config(
        root -> {
          root.put("vision_feature_select_strategy", strategy);
          TinyFolder.part(root, "vision_config")
              .put(
                  "model_type",
                  tower.startsWith("clip") ? "clip_vision_model" : "siglip_vision_model");
        });
    assertThatThrownBy(() -> folder.open().close())
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("'vision_feature_select_strategy' " + strategy)
        .hasMessageContaining("config.json");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "num_beams; 4; beam search",
        "num_beam_groups; 2; beam search",
        "guidance_scale; 1.5; guidance",
        "encoder_repetition_penalty; 1.2; bonus",
        "encoder_no_repeat_ngram_size; 3; ban",
        "penalty_alpha; 0.6; contrastive search",
        "sequence_bias; [[[3],1.5]]; bias",
        "stop_strings; [\"x\"]; certain words",
        "watermarking_config; {\"seed\":1}; watermark",
        "exponential_decay_length_penalty; [3,1.1]; penalty on length",
        "bad_words_ids; [[]]; array of arrays",
        "bad_words_ids; [[64]]; from 0 to 63",
        "repetition_penalty; 0; a number from",
        "no_repeat_ngram_size; -1; whole number",
      })
  void whatWouldChangeAnswersAndIsNotKnownIsRefusedByName(String field, String value, String reason)
      throws IOException {
    TinyFolder folder = TinyFolder.in(temp);
    Files.writeString(
        temp.resolve("generation_config.json"),
        "{\"eos_token_id\": 2, \"%s\": %s}".formatted(field, value));
    assertThatThrownBy(() -> folder.open().close())
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("generation_config.json")
        .hasMessageContaining(field)
        .hasMessageContaining(reason);
  }

  @Test
  void settingsThatChangeNothingAreTaken() throws IOException {
    TinyFolder folder = TinyFolder.in(temp);
    Files.writeString(
        temp.resolve("generation_config.json"),
        """
        {"eos_token_id": [2, 0], "num_beams": 1, "guidance_scale": 1.0, "num_beam_groups": 1,
         "do_sample": true, "top_k": 5, "max_length": 4096, "penalty_alpha": null,
         "encoder_no_repeat_ngram_size": 0, "token_healing": false, "constraints": [],
         "repetition_penalty": 1.0, "suppress_tokens": [-1, 99], "min_length": 0,
         "forced_bos_token_id": 1, "use_cache": true}""");
    try (VisionLanguageModel model = folder.open()) {
      assertThat(model.config().endTokens()).containsExactlyInAnyOrder(0L, 2L);
      assertThat(model.config().decoding()).isEqualTo(DecodingRules.NONE);
    }
  }

  @Test
  void generationConfigAloneNamesEndsWhereItIsThere() throws IOException {
    TinyFolder folder = TinyFolder.in(temp);
    Path generation = temp.resolve("generation_config.json");
    folder.config(root -> root.put("eos_token_id", 9));
    Files.writeString(generation, "{\"eos_token_id\": 7}");
    assertThat(ConfigReader.read(temp).endTokens()).containsExactly(7L);
    Files.writeString(generation, "{\"bos_token_id\": 1}");
    assertThat(ConfigReader.read(temp).endTokens())
        .as("transformers has no end then, and goes on to the longest answer")
        .isEmpty();
    Files.delete(generation);
    assertThat(ConfigReader.read(temp).endTokens()).as("the root comes first").containsExactly(9L);
    folder.config(root -> root.remove("eos_token_id"));
    assertThat(ConfigReader.read(temp).endTokens()).as("then text_config").containsExactly(2L);
    folder.config(root -> TinyFolder.part(root, "text_config").remove("eos_token_id"));
    assertThat(ConfigReader.read(temp).endTokens()).as("then the class").containsExactly(2L);
    folder.config(root -> TinyFolder.part(root, "text_config").put("model_type", "qwen2"));
    assertThatThrownBy(() -> ConfigReader.read(temp))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("name no 'eos_token_id'");
    folder.config(root -> root.put("eos_token_id", 9).put("repetition_penalty", 1.5));
    assertThat(ConfigReader.read(temp).decoding().repetitionPenalty()).isEqualTo(1.5f);
  }
}
