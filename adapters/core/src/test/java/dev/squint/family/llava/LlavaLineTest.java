package dev.squint.family.llava;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.squint.engine.StrategySupport;
import dev.squint.engine.request.ModelInput;
import dev.squint.engine.request.PixelValues;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException;
import dev.squint.family.ImageOptions;
import dev.squint.fixtures.Share;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.StrategyType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Models with LLaVA's graphs answer as PyTorch does, from image file and chat on. */
class LlavaLineTest {

  private static final Map<String, FamilyFixture> OPENED = new HashMap<>();

  @TempDir Path temp;

  private static FamilyFixture opened(String name) {
    return OPENED.computeIfAbsent(name, key -> FamilyFixture.open(FamilyFixture.folder(key)));
  }

  @AfterAll
  static void close() {
    OPENED.values().forEach(FamilyFixture::close);
  }

  @ParameterizedTest
  @ValueSource(strings = {"interleave", "fastvlm", "moondream"})
  void answersAsPyTorchDoes(String name) {
    FamilyFixture fixture = opened(name);
    FamilyFixture.each(name, "cases").forEach(fixture::requireAnswer);
  }

  @ParameterizedTest
  @ValueSource(strings = {"interleave", "fastvlm", "moondream"})
  void prunesAsPyTorchDoes(String name) {
    JsonNode chat = FamilyFixture.reference(name).path("cases").get(0).path("chat");
    FamilyFixture fixture = opened(name);
    FamilyFixture.each(name, "pruned").forEach(one -> fixture.requirePruned(chat, one));
  }

  @ParameterizedTest
  @ValueSource(strings = {"interleave", "fastvlm", "moondream"})
  void seesWhatTheProcessorOfTransformersMakes(String name) {
    FamilyFixture fixture = opened(name);
    for (Map.Entry<String, JsonNode> one :
        FamilyFixture.reference(name).path("pixels").properties()) {
      PixelValues pixels =
          fixture.family().prepare(fixture.image(one.getKey()), ImageOptions.DEFAULTS).pixels();
      assertThat(rows(pixels, FamilyFixture.reference(name).path("row_step").asInt(1)))
          .containsExactly(FamilyFixture.floats(one.getValue().asText()), offset(2e-6f));
    }
  }

  /** Every so many rows of an image. */
  private static float[] rows(PixelValues pixels, int step) {
    long[] shape = pixels.shape();
    int width = Math.toIntExact(shape[3]);
    int count = Math.toIntExact(shape[1] * shape[2] / step);
    float[] made = new float[count * width];
    for (int row = 0; row < count; row++) {
      pixels.data().duplicate().position(row * step * width).get(made, row * width, width);
    }
    return made;
  }

  /** What a hybrid tower attends to are not the patches that become tokens. */
  @ParameterizedTest
  @ValueSource(strings = {"fastervlm:keep=0.25", "tome:keep=0.5", "visionzip", "vscan", "prumerge"})
  void attentionOfAHybridTowerIsRefused(String spec) {
    JsonNode chat = FamilyFixture.reference("fastvlm").path("cases").get(0).path("chat");
    FamilyFixture fixture = opened("fastvlm");
    ModelInput prompt = fixture.prompt(chat);
    assertThatThrownBy(() -> fixture.answer(prompt, spec))
        .isInstanceOf(SquintException.class)
        .hasMessageContaining("convolutions")
        .hasMessageNotContaining("\n");
    assertThat(fixture.model().openTensors()).isZero();
  }

  /** As {@code inspect} says, which runs nothing. Every fourth, with {@code -Pfull} each. */
  @Test
  void onAHybridTowerEveryStrategyActsOrSaysWhyNot() {
    Path folder = FamilyFixture.folder("fastvlm");
    JsonNode chat = FamilyFixture.reference("fastvlm").path("cases").get(0).path("chat");
    Map<String, Optional<String>> said =
        StrategySupport.of(folder, "", OptionalInt.of(36)).strategies();
    FamilyFixture fixture = opened("fastvlm");
    ModelInput prompt = fixture.prompt(chat);
    for (StrategyType<?> type : Share.of(Strategies.available(), 0, 4).toList()) {
      Optional<String> refusal = Optional.empty();
      try {
        fixture.answer(prompt, type.name(), 2);
      } catch (SquintException e) {
        refusal = Optional.of(e.getMessage());
      }
      assertThat(said.get(type.name()).isPresent())
          .as("%s: %s, %s", type.name(), refusal, said.get(type.name()))
          .isEqualTo(refusal.isPresent());
    }
    assertThat(said.values().stream().filter(Optional::isEmpty).count()).isGreaterThan(10);
  }

  private static void json(Path file, Consumer<ObjectNode> change) throws IOException {
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode root = (ObjectNode) mapper.readTree(file.toFile());
    change.accept(root);
    Files.writeString(file, root.toString());
  }

  /** transformers' own FastVLM has sections, and its processor cuts the middle out. */
  @Test
  void transformersOwnFastVlmIsTheSameModel() throws IOException {
    Path folder = FamilyFixture.copy("fastvlm", temp);
    ObjectMapper mapper = new ObjectMapper();
    json(
        folder.resolve("config.json"),
        root -> {
          ObjectNode text = root.deepCopy();
          text.put("model_type", "qwen2");
          root.removeAll();
          root.put("model_type", "fast_vlm");
          root.set("image_token_index", text.get("image_token_index"));
          root.putArray("architectures").add("FastVlmForConditionalGeneration");
          root.set("text_config", text);
          root.set(
              "vision_config",
              mapper.createObjectNode().put("model_type", "timm_wrapper").put("hidden_size", 48));
        });
    JsonNode alone =
        FamilyFixture.each("fastvlm", "cases")
            .filter(one -> one.path("name").asText().equals("text alone"))
            .findFirst()
            .orElseThrow();
    try (FamilyFixture fixture = FamilyFixture.open(folder)) {
      fixture.requireAnswer(alone);
      assertThat(fixture.model().config().visualTokens()).isEqualTo(36);
      assertThat(fixture.model().config().vision().patchSize()).isEqualTo(64);
    }
  }

  static Stream<String> unspeakable() {
    return Stream.of(
        "[[\"user\", \"tall.png\", \"wide.png\", \"Which?\"]]|one image",
        "[[\"system\", \"Be brief.\"], [\"user\", \"tall.png\", \"What?\"]]|questions and answers");
  }

  @ParameterizedTest
  @MethodSource("unspeakable")
  void whatMoondreamWasNotMadeForIsRefused(String row) throws IOException {
    JsonNode chat = new ObjectMapper().readTree(row.substring(0, row.indexOf('|')));
    FamilyFixture fixture = opened("moondream");
    assertThatThrownBy(() -> fixture.prompt(chat))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining(row.substring(row.indexOf('|') + 1))
        .hasMessageNotContaining("\n");
  }

  @Test
  void moondreamIsAskedAsItsOwnCodeAsks() {
    FamilyFixture fixture = opened("moondream");
    assertThat(fixture.family().prompts().template())
        .isEqualTo("<image>\n\nQuestion: {question}\n\nAnswer:");
    assertThat(fixture.model().config().imageToken()).isEqualTo(257);
  }

  /** A template beside it comes first. */
  @Test
  void aTemplateOfMoondreamsOwnFolderCounts() throws IOException {
    Path folder = FamilyFixture.copy("moondream", temp);
    Files.writeString(
        folder.resolve("chat_template.jinja"),
        "{% for m in messages %}{% for c in m.content %}{{ '<image>' if c.type == 'image' else c.text }}{% endfor %}{% endfor %}");
    try (FamilyFixture fixture = FamilyFixture.open(folder)) {
      assertThat(fixture.family().prompts().template()).isEqualTo("<image>{question}");
    }
  }
}
