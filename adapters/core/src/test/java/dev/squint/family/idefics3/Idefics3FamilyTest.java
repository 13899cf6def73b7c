package dev.squint.family.idefics3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.squint.chat.Role;
import dev.squint.chat.Turn;
import dev.squint.engine.StrategySupport;
import dev.squint.engine.VisionLanguageModel;
import dev.squint.engine.options.ModelOptions;
import dev.squint.engine.request.Generation;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.engine.request.ModelInput;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException;
import dev.squint.family.ImageOptions;
import dev.squint.family.ImagePart;
import dev.squint.family.ModelFamily;
import dev.squint.family.PromptImage;
import dev.squint.fixtures.Share;
import dev.squint.fixtures.TestCache;
import dev.squint.image.ImageInput;
import dev.squint.image.OpenCv;
import dev.squint.image.RgbImage;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.StrategyType;
import dev.squint.pruning.layout.VisualSpan;
import dev.squint.pruning.trace.SiteTrace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Chats about images, against what transformers 5.18 answers. */
class Idefics3FamilyTest {

  private static final int TILE_TOKENS = 16;
  private static final ImageOptions AS_IT_IS =
      new ImageOptions(false, OptionalLong.empty(), OptionalLong.empty());

  @TempDir Path temp;

  private static VisionLanguageModel model;
  private static ModelFamily family;

  @BeforeAll
  static void open() {
    OpenCv.load(TestCache.FOLDER);
    model = VisionLanguageModel.open(SmolVlm.FOLDER, options());
    family = ModelFamily.of(model);
  }

  private static ModelOptions options() {
    return ModelOptions.builder().cacheFolder(TestCache.FOLDER).threads(1).build();
  }

  @AfterAll
  static void close() {
    assertThat(model.openTensors()).isZero();
    family.close();
    model.close();
  }

  private static RgbImage image(String name) {
    return RgbImage.decode(ImageInput.of(SmolVlm.FOLDER.resolve(name)));
  }

  private static JsonNode chat(String name) {
    return SmolVlm.reference("cases")
        .filter(one -> one.path("name").asText().equals(name))
        .findFirst()
        .orElseThrow();
  }

  private static ModelInput prompt(ModelFamily by, JsonNode chat) {
    List<PromptImage> images = new ArrayList<>();
    List<Turn> turns = new ArrayList<>();
    for (JsonNode message : chat.path("messages")) {
      List<Turn.Part> parts = new ArrayList<>();
      for (JsonNode part : message.path("content")) {
        if (part.has("image")) {
          images.add(by.prepare(image(part.path("image").asText()), AS_IT_IS));
          parts.add(new Turn.Image());
        } else {
          parts.add(new Turn.Text(part.path("text").asText()));
        }
      }
      turns.add(
          new Turn(Role.valueOf(message.path("role").asText().toUpperCase(Locale.ROOT)), parts));
    }
    return by.prompts().prompt(turns, images);
  }

  private static Generation answer(VisionLanguageModel by, ModelInput prompt, String spec) {
    return by.generate(
        prompt,
        Strategies.parse(spec),
        GenerationOptions.builder().maxNewTokens(16).keepFirstLogits(true).build());
  }

  private static void assertAnswered(Generation made, JsonNode expected) {
    assertThat(made.firstLogits())
        .usingComparatorWithPrecision(1e-3f)
        .containsExactly(SmolVlm.floats(expected.path("logits")));
    assertThat(made.tokens()).isEqualTo(SmolVlm.longs(expected.path("greedy")));
  }

  static Stream<JsonNode> chats() {
    return SmolVlm.reference("cases");
  }

  @ParameterizedTest
  @MethodSource("chats")
  void chatsAreAnsweredAsByTransformers(JsonNode chat) {
    ModelInput prompt = prompt(family, chat);
    assertThat(prompt.tokenIds()).isEqualTo(SmolVlm.longs(chat.path("ids")));
    assertThat(prompt.images()).hasSize(chat.path("visual").size());
    Generation made = answer(model, prompt, "none");
    assertAnswered(made, chat);
    assertThat(family.prompts().text(made.tokens())).isEqualTo(chat.path("text").asText().strip());
  }

  static Stream<JsonNode> pruned() {
    return SmolVlm.reference("pruned");
  }

  /**
   * What the tower observes of patches, PyTorch averages over those of a token; what leaves or
   * merges there is what leaves or merges here.
   */
  @ParameterizedTest
  @MethodSource("pruned")
  void tokensLeaveAndMergeAsInPyTorch(JsonNode expected) {
    ModelInput prompt = prompt(family, chat(expected.path("chat").asText()));
    Generation made = answer(model, prompt, expected.path("spec").asText());
    long[] kept =
        Arrays.stream(made.trace().sites().get(0).keptOriginal()).asLongStream().toArray();
    assertThat(kept).isEqualTo(SmolVlm.longs(expected.path("kept")));
    assertAnswered(made, expected);
  }

  @Test
  void eachTileIsAPartOfItsImageAndTheOneWithAllOfItComesLast() {
    ModelInput prompt = prompt(family, chat("two"));
    List<VisualSpan> spans = prompt.layout().visual();
    assertThat(spans)
        .extracting(VisualSpan::image)
        .containsExactly(0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1);
    assertThat(spans).extracting(VisualSpan::part).containsExactly(0, 1, 2, 3, 4, 5, 6, 0, 1, 2, 3);
    assertThat(spans)
        .allMatch(span -> span.length() == TILE_TOKENS && span.rows() == 4 && span.columns() == 4);
  }

  @ParameterizedTest
  @CsvSource({"tile, 4 4 4 4 4 4 4 4 4 4 4", "image, 28 16", "request, 44"})
  void budgetsAreCountedForATileAnImageOrTheRequest(String per, String counts) {
    Generation made = answer(model, prompt(family, chat("two")), "fastervlm:keep=0.25,per=" + per);
    int[] kept = made.trace().sites().get(0).keptOriginal();
    int[] bounds =
        switch (per) {
          case "tile" -> IntStream.rangeClosed(0, 11).map(i -> i * TILE_TOKENS).toArray();
          case "image" -> new int[] {0, 7 * TILE_TOKENS, 11 * TILE_TOKENS};
          default -> new int[] {0, 11 * TILE_TOKENS};
        };
    List<String> found = new ArrayList<>();
    for (int i = 0; i + 1 < bounds.length; i++) {
      int from = bounds[i];
      int to = bounds[i + 1];
      found.add(String.valueOf(Arrays.stream(kept).filter(k -> k >= from && k < to).count()));
    }
    assertThat(String.join(" ", found)).isEqualTo(counts);
  }

  static Stream<String> everyThird() {
    return Share.of(Strategies.available().stream().map(StrategyType::name).toList(), 0, 3);
  }

  /** Those that ask for [CLS], which this tower lacks, take the attention that tokens receive. */
  @ParameterizedTest
  @MethodSource("everyThird")
  void everyStrategyActsOnTiles(String name) {
    ModelInput prompt = prompt(family, chat("two"));
    int visual = prompt.layout().visualTokens();
    Generation made = answer(model, prompt, name);
    assertThat(made.trace().visualTokens()).isEqualTo(visual);
    assertThat(made.firstLogits()).doesNotContain(Float.NaN);
    for (SiteTrace site : made.trace().sites()) {
      assertThat(site.keptOriginal()).doesNotHaveDuplicates();
      assertThat(Arrays.stream(site.keptOriginal())).allMatch(token -> token < visual);
    }
  }

  /** The config's pad token is outside of the vocabulary, as in the models of the hub. */
  @Test
  void theTokenThatEndsATurnEndsTheAnswer() {
    assertThat(model.config().endTokens())
        .containsExactly(SmolVlm.json("generation_config.json").path("eos_token_id").asLong());
    assertThat(SmolVlm.json("config.json").path("pad_token_id").asInt())
        .isGreaterThan(model.config().text().vocabulary());
  }

  @Test
  void inspectionSaysOfEachStrategyThatItActs() {
    assertThat(StrategySupport.of(SmolVlm.FOLDER, "").strategies().values())
        .isNotEmpty()
        .allMatch(Optional::isEmpty);
  }

  @Test
  void aLimitOfPixelsIsFewerTiles() {
    PromptImage small =
        family.prepare(
            image("wide.png"),
            new ImageOptions(true, OptionalLong.empty(), OptionalLong.of(32 * 32)));
    assertThat(small.parts()).containsExactly(new ImagePart(0, TILE_TOKENS, 4, 4));
    assertThat(small.text())
        .isEqualTo(
            "<fake_token_around_image><global-img>"
                + "<image>".repeat(16)
                + "<fake_token_around_image>");
    assertThat(family.canResize()).isFalse();
    assertThatThrownBy(() -> family.resized(image("wide.png"), 3, 4))
        .isInstanceOf(ModelException.class)
        .hasMessage(
            "an image cannot become a grid of 3 x 4 visual tokens, since this model sees tiles of 4 x 4; allow fewer pixels instead");
  }

  /** SmolVLM2 is the same under other names, and so are files that transformers 5 writes. */
  @Test
  void theOtherNamesAndTheNestedFileAreTheSameModel() throws IOException {
    Path folder = SmolVlm.copy(temp);
    SmolVlm.change(
        folder.resolve("config.json"),
        root -> {
          root.put("model_type", "smolvlm");
          root.withObject("vision_config").put("model_type", "smolvlm_vision");
          root.withObject("vision_config")
              .remove(List.of("num_hidden_layers", "intermediate_size", "num_attention_heads"));
        });
    JsonNode fields = SmolVlm.json("preprocessor_config.json");
    SmolVlm.change(
        folder.resolve("processor_config.json"),
        root -> {
          root.put("processor_class", "SmolVLMProcessor");
          root.putObject("image_processor").setAll((ObjectNode) fields);
          root.withObject("image_processor").put("image_processor_type", "SmolVLMImageProcessor");
        });
    Files.delete(folder.resolve("preprocessor_config.json"));
    try (VisionLanguageModel other = VisionLanguageModel.open(folder, options());
        ModelFamily same = ModelFamily.of(other)) {
      assertAnswered(answer(other, prompt(same, chat("one")), "none"), chat("one"));
    }
  }

  @Test
  void filesThatDoNotFitAreRefusedInOneSentence() throws IOException {
    Path folder = SmolVlm.copy(temp);
    Path tokens = folder.resolve("processor_config.json");
    SmolVlm.change(tokens, root -> root.put("image_seq_len", 81));
    refused(folder, "'image_seq_len' is 81, but a tile of 32 pixels becomes 16 visual tokens");
    SmolVlm.change(tokens, root -> root.remove("image_seq_len"));
    Path pixels = folder.resolve("preprocessor_config.json");
    SmolVlm.change(pixels, root -> root.withObject("max_image_size").put("longest_edge", 36));
    refused(folder, "a tile of 36 pixels has 9 patches in a row, which do not join");
    SmolVlm.change(pixels, root -> root.withObject("max_image_size").put("longest_edge", 32));
    Path names = folder.resolve("tokenizer_config.json");
    SmolVlm.change(names, root -> root.put("global_image_token", "<all>"));
    refused(folder, "'global_image_token' is '<all>', but only '<global-img>' is known");
    SmolVlm.change(names, root -> root.remove("global_image_token"));
    renameToken(folder, "<global-img>", "<other>");
    refused(folder, "tokenizer.json has no token '<global-img>', which marks the tiles");
  }

  private static void renameToken(Path folder, String from, String to) throws IOException {
    Path file = folder.resolve("tokenizer.json");
    Files.writeString(file, Files.readString(file).replace(from, to));
  }

  @Test
  void gridsThatTheTokenizerHasNoNamesForAreRefused() throws IOException {
    Path folder = SmolVlm.copy(temp);
    SmolVlm.change(
        folder.resolve("preprocessor_config.json"),
        root -> root.withObject("size").put("longest_edge", 7 * 32));
    SmolVlm.change(folder.resolve("processor_config.json"), root -> root.remove("image_seq_len"));
    renameToken(folder, "<row_3_col_1>", "<row_3_col_x>");
    try (VisionLanguageModel other = VisionLanguageModel.open(folder, options());
        ModelFamily wider = ModelFamily.of(other)) {
      assertThatThrownBy(() -> wider.prepare(image("wide.png"), AS_IT_IS))
          .isInstanceOf(ModelException.class)
          .hasMessage(
              "an image of 150x84 becomes 4 x 7 tiles, but the tokenizer has no token '<row_1_col_7>'; send it smaller, or with fewer pixels allowed");
      assertThatThrownBy(
              () -> wider.prepare(image("tall.png"), AS_IT_IS.withMaxPixels(7 * 32 * 32 * 2 - 1)))
          .isInstanceOf(ModelException.class)
          .hasMessageContaining("'<row_3_col_1>'");
      assertThat(wider.prepare(image("wide.png"), AS_IT_IS.withMaxPixels(2 * 3 * 32 * 32)).parts())
          .hasSize(7);
    }
  }

  private static void refused(Path folder, String said) {
    assertThatThrownBy(
            () -> {
              try (VisionLanguageModel other = VisionLanguageModel.open(folder, options())) {
                ModelFamily.of(other).close();
              }
            })
        .isInstanceOf(SquintException.class)
        .hasMessageContaining(said)
        .hasMessageNotContaining("\n");
  }
}
