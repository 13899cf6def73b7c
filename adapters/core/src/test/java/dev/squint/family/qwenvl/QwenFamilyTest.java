package dev.squint.family.qwenvl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import com.fasterxml.jackson.databind.JsonNode;
import dev.squint.chat.Turn;
import dev.squint.engine.StrategySupport;
import dev.squint.engine.VisionLanguageModel;
import dev.squint.engine.internal.tokens.RotaryPositions;
import dev.squint.engine.request.Generation;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.engine.request.GenerationRequest;
import dev.squint.engine.request.ModelInput;
import dev.squint.engine.request.PromptCache;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException;
import dev.squint.family.ImageOptions;
import dev.squint.family.ModelFamily;
import dev.squint.family.PromptImage;
import dev.squint.fixtures.Share;
import dev.squint.fixtures.TestCache;
import dev.squint.image.OpenCv;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.StrategyType;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.trace.SiteTrace;
import dev.squint.pruning.trace.Trace;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * From image files and chats to the answers of PyTorch ({@code make_family_qwenvl.py}), whole and
 * with visual tokens dropped or merged.
 */
class QwenFamilyTest {

  private static final float TOLERANCE = 1e-3f;

  private static final Map<String, Opened> OPENED = new HashMap<>();

  @TempDir Path temp;

  private record Opened(VisionLanguageModel model, ModelFamily family) {}

  private static Opened opened(String name) {
    return OPENED.computeIfAbsent(
        name,
        key -> {
          VisionLanguageModel model = QwenFolder.of(key).open();
          return new Opened(model, ModelFamily.of(model));
        });
  }

  @AfterAll
  static void close() {
    OPENED
        .values()
        .forEach(
            opened -> {
              opened.family().close();
              opened.model().close();
            });
  }

  @BeforeAll
  static void loadOpenCv() {
    OpenCv.load(TestCache.FOLDER);
  }

  static Stream<String> names() {
    return QwenFolder.NAMES.stream();
  }

  private static ModelInput prompt(QwenFolder folder, ModelFamily family, JsonNode chat) {
    List<PromptImage> images =
        folder.images(chat).stream()
            .map(image -> family.prepare(image, ImageOptions.DEFAULTS))
            .toList();
    return family.prompts().prompt(QwenFolder.turns(chat), images);
  }

  private static Generation answer(VisionLanguageModel model, ModelInput prompt, String spec) {
    return model.generate(
        prompt,
        Strategies.parse(spec),
        GenerationOptions.builder().maxNewTokens(16).keepFirstLogits(true).build());
  }

  @ParameterizedTest
  @MethodSource("names")
  void promptsPositionsAndAnswersAreThoseOfTransformers(String name) {
    QwenFolder folder = QwenFolder.of(name);
    VisionLanguageModel model = opened(name).model();
    ModelFamily family = opened(name).family();
    for (JsonNode chat : folder.reference().path("chats")) {
      String about = chat.path("name").asText();
      ModelInput prompt = prompt(folder, family, chat);
      assertThat(prompt.tokenIds()).as(about).isEqualTo(QwenFolder.longs(chat.path("ids")));
      RotaryPositions positions = RotaryPositions.of(prompt.layout(), 3);
      for (int axis = 0; axis < 3; axis++) {
        assertThat(positions.axes()[axis])
            .as("%s, axis %d", about, axis)
            .isEqualTo(QwenFolder.longs(chat.path("positions").get(axis)));
      }
      assertThat(positions.next()).as(about).isEqualTo(chat.path("next").asLong());
      Generation made = answer(model, prompt, "none");
      assertThat(made.firstLogits())
          .as(about)
          .containsExactly(QwenFolder.floats(chat.path("logits")), offset(TOLERANCE));
      assertThat(made.tokens()).as(about).isEqualTo(QwenFolder.longs(chat.path("answer")));
    }
    assertThat(model.openTensors()).isZero();
  }

  /** Each on one of the chats, with {@code -Pfull} on all. */
  @ParameterizedTest
  @MethodSource("names")
  void prunedAnswersAreThoseOfPyTorchWithTheSameTokensGone(String name) {
    QwenFolder folder = QwenFolder.of(name);
    VisionLanguageModel model = opened(name).model();
    ModelFamily family = opened(name).family();
    for (JsonNode one : pruned(folder, name.equals("qwen3vl"))) {
      checkPruned(folder, model, family, one);
    }
    assertThat(model.openTensors()).isZero();
  }

  private static List<JsonNode> pruned(QwenFolder folder, boolean deepStack) {
    List<JsonNode> all = new ArrayList<>();
    List<String> specs = new ArrayList<>();
    for (JsonNode one : folder.reference().path("pruned")) {
      if (one.path("deepStack").asBoolean() == deepStack) {
        specs.add(one.path("spec").asText());
        if (Share.has(one.path("chat").asInt() + specs.indexOf(one.path("spec").asText()), 3)) {
          all.add(one);
        }
      }
    }
    return all;
  }

  private static void checkPruned(
      QwenFolder folder, VisionLanguageModel model, ModelFamily family, JsonNode one) {
    JsonNode chat = folder.reference().path("chats").get(one.path("chat").asInt());
    String spec = one.path("spec").asText();
    String about = folder.path().getFileName() + ", " + chat.path("name").asText() + ", " + spec;
    Generation made = answer(model, prompt(folder, family, chat), spec);
    List<SiteTrace> sites = made.trace().sites();
    assertThat(sites).as(about).hasSize(one.path("kept").size());
    for (int site = 0; site < sites.size(); site++) {
      assertThat(IntStream.of(sites.get(site).keptOriginal()).asLongStream().toArray())
          .as(about)
          .isEqualTo(QwenFolder.longs(one.path("kept").get(site)));
    }
    assertThat(made.firstLogits())
        .as(about)
        .containsExactly(QwenFolder.floats(one.path("logits")), offset(TOLERANCE));
    assertThat(made.tokens()).as(about).isEqualTo(QwenFolder.longs(one.path("answer")));
  }

  /**
   * And {@code inspect} says beforehand what {@code ask} will do. With two images, some strategies
   * on one of the families, with {@code -Pfull} each on all.
   */
  @ParameterizedTest
  @MethodSource("names")
  void everyStrategyActsOrSaysInASentenceWhyNot(String name) {
    QwenFolder folder = QwenFolder.of(name);
    Map<String, Optional<String>> said = StrategySupport.of(folder.path(), "").strategies();
    VisionLanguageModel model = opened(name).model();
    ModelFamily family = opened(name).family();
    ModelInput prompt = prompt(folder, family, folder.reference().path("chats").get(1));
    int turn = QwenFolder.NAMES.indexOf(name);
    for (StrategyType<?> type : Strategies.available()) {
      if (!Share.has(turn++, 4 * QwenFolder.NAMES.size())) {
        continue;
      }
      Optional<String> refusal = Optional.empty();
      try {
        model.generate(
            prompt,
            Strategies.parse(type.name()),
            GenerationOptions.builder().maxNewTokens(1).build());
      } catch (SquintException e) {
        refusal = Optional.of(e.getMessage());
        assertThat(e.getMessage()).doesNotContain("\n").hasSizeLessThan(600);
      }
      assertThat(said.get(type.name()).isPresent())
          .as("%s: %s, %s", type.name(), refusal, said.get(type.name()))
          .isEqualTo(refusal.isPresent());
    }
    assertThat(model.openTensors()).isZero();
  }

  @ParameterizedTest
  @MethodSource("names")
  void aGridOfTokensIsAskedFor(String name) {
    QwenFolder folder = QwenFolder.of(name);
    VisionLanguageModel model = opened(name).model();
    ModelFamily family = opened(name).family();
    JsonNode chat = folder.reference().path("chats").get(0);
    PromptImage image = family.resized(folder.image("one.png"), 3, 5);
    ModelInput prompt = family.prompts().prompt(QwenFolder.turns(chat), List.of(image));
    assertThat(image.tokens()).isEqualTo(15);
    assertThat(prompt.layout().visual().get(0).columns()).isEqualTo(5);
    assertThat(answer(model, prompt, "fastv:k=2,tokens=4").trace().sites().get(0).after())
        .isEqualTo(4);
    assertThat(family.seen(folder.image("one.png")).width())
        .isEqualTo(name.equals("qwen3vl") ? 160 : 168);
  }

  @Test
  void budgetsAreOfTheRequestOrOfEachImage() {
    QwenFolder folder = QwenFolder.of("qwen2vl");
    VisionLanguageModel model = opened("qwen2vl").model();
    ModelFamily family = opened("qwen2vl").family();
    ModelInput prompt = prompt(folder, family, folder.reference().path("chats").get(1));
    int first = prompt.layout().visual().get(0).length();
    int[] each = answer(model, prompt, "divprune:tokens=4").trace().sites().get(0).keptOriginal();
    assertThat(each).hasSize(8);
    assertThat(IntStream.of(each).filter(token -> token < first).count()).isEqualTo(4);
    assertThat(answer(model, prompt, "fastv:k=1,tokens=4").trace().sites().get(0).after())
        .isEqualTo(4);
  }

  /** So it runs on all patches, as the FLOPs say. */
  @ParameterizedTest
  @MethodSource("names")
  void tokensAreMergedBehindTheProjectorAndTheTraceSaysSo(String name) {
    QwenFolder folder = QwenFolder.of(name);
    VisionLanguageModel model = opened(name).model();
    ModelFamily family = opened(name).family();
    ModelInput prompt = prompt(folder, family, folder.reference().path("chats").get(0));
    Trace whole = answer(model, prompt, "none").trace();
    Trace merged = answer(model, prompt, "visionzip:tokens=8").trace();
    assertThat(merged.sites()).singleElement().extracting(SiteTrace::after).isEqualTo(8);
    assertThat(merged.sites().get(0).site()).isEqualTo(new Site.AfterVision());
    assertThat(merged.notes()).anyMatch(note -> note.contains("merged behind it"));
    assertThat(merged.visionFlops()).isPositive().isEqualTo(whole.visionFlops());
    assertThat(
            answer(model, prompt, "vtc-cls").trace().notes().stream()
                .anyMatch(note -> note.contains("layers [1, 3] alone")))
        .isEqualTo(name.equals("qwen25vl"));
  }

  /** DeepStack and 3D positions go on where an earlier question ended. */
  @ParameterizedTest
  @ValueSource(strings = {"qwen2vl", "qwen3vl"})
  void aFurtherTurnGoesOnFromTheCacheOfTheFirst(String name) {
    QwenFolder folder = QwenFolder.of(name);
    JsonNode chat = folder.reference().path("chats").get(2);
    List<Turn> turns = QwenFolder.turns(chat);
    VisionLanguageModel model = opened(name).model();
    ModelFamily family = opened(name).family();
    try (PromptCache cache = model.newCache()) {
      List<PromptImage> images =
          List.of(family.prepare(folder.images(chat).get(0), ImageOptions.DEFAULTS));
      Generation first =
          model.generate(
              GenerationRequest.builder(family.prompts().prompt(turns.subList(0, 2), images))
                  .cache(cache, GenerationRequest.CacheReuse.KEEP_SELECTION)
                  .options(GenerationOptions.builder().maxNewTokens(2).build())
                  .build());
      Generation second =
          model.generate(
              GenerationRequest.builder(family.prompts().prompt(turns, images))
                  .cache(cache, GenerationRequest.CacheReuse.KEEP_SELECTION)
                  .options(GenerationOptions.builder().maxNewTokens(16).build())
                  .build());
      assertThat(first.trace().reusedTokens()).isZero();
      assertThat(second.trace().reusedTokens()).isGreaterThan(images.get(0).tokens());
      assertThat(second.tokens()).isEqualTo(QwenFolder.longs(chat.path("answer")));
    }
  }

  /** Its tower attends within windows by masks, in layers 0 and 2. */
  @Test
  void attentionWithinWindowsIsNoAttentionToTheImage() {
    QwenFolder folder = QwenFolder.of("qwen25vl");
    assertThat(StrategySupport.of(folder.path(), "").model().vision().orElseThrow().windowed())
        .containsExactly(0, 2);
    VisionLanguageModel model = opened("qwen25vl").model();
    ModelFamily family = opened("qwen25vl").family();
    ModelInput prompt = prompt(folder, family, folder.reference().path("chats").get(0));
    assertThatThrownBy(() -> answer(model, prompt, "vscan:stage=1,local=2,tokens=10,merge=after"))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("vision layer 2")
        .hasMessageContaining("attends within windows");
    assertThat(answer(model, prompt, "fastervlm:keep=0.5").trace().sites()).hasSize(1);
  }

  @Test
  void aDecoderWithoutDeepStackAnswersAsPyTorchWithoutItAndItIsSaid() throws IOException {
    QwenFolder folder =
        QwenFolder.of("qwen3vl")
            .copyTo(temp)
            .graph("decoder_model_merged", DeepStackGraphs::without);
    assertThat(StrategySupport.of(temp, "").model().lacks())
        .singleElement()
        .asString()
        .contains("DeepStack");
    try (VisionLanguageModel model = folder.open();
        ModelFamily family = ModelFamily.of(model)) {
      for (JsonNode chat : folder.reference().path("chats")) {
        Generation made = answer(model, prompt(folder, family, chat), "none");
        JsonNode expected = chat.path("withoutDeepStack");
        assertThat(made.tokens()).isEqualTo(QwenFolder.longs(expected.path("answer")));
        assertThat(made.firstLogits())
            .containsExactly(QwenFolder.floats(expected.path("logits")), offset(TOLERANCE));
        assertThat(made.trace().notes().stream().anyMatch(note -> note.contains("DeepStack")))
            .isEqualTo(!chat.path("images").isEmpty());
      }
      for (JsonNode one : pruned(folder, false)) {
        checkPruned(folder, model, family, one);
      }
    }
  }

  /** An input for each level, and one output for all of them. */
  @Test
  void deepStackIsTakenInEveryFormOfIt() throws IOException {
    QwenFolder folder =
        QwenFolder.of("qwen3vl")
            .copyTo(temp)
            .graph("decoder_model_merged", DeepStackGraphs::apart)
            .graph("vision_encoder", DeepStackGraphs::packed);
    try (VisionLanguageModel model = folder.open();
        ModelFamily family = ModelFamily.of(model)) {
      for (JsonNode one : pruned(folder, true)) {
        checkPruned(folder, model, family, one);
      }
      assertThat(StrategySupport.of(temp, "").model().lacks()).isEmpty();
      assertThat(model.openTensors()).isZero();
    }
  }

  @Test
  void aTowerThatDoesNotGiveWhatTheDecoderTakesIsRefused() throws IOException {
    QwenFolder folder =
        QwenFolder.of("qwen3vl")
            .copyTo(temp)
            .graph("vision_encoder", DeepStackGraphs::featuresAlone);
    assertThatThrownBy(folder::open)
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("deepstack_embeds")
        .hasMessageContaining("vision_encoder.onnx gives none");
  }

  @Test
  void anotherNumberOfLevelsIsRefused() throws IOException {
    QwenFolder folder =
        QwenFolder.of("qwen3vl").copyTo(temp).graph("vision_encoder", DeepStackGraphs::oneLevel);
    assertThatThrownBy(folder::open)
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("1 levels, but the decoder takes 2");
  }

  @ParameterizedTest
  @ValueSource(strings = {"grid_thw", "image_grid_thw"})
  void theGridIsGivenByTheNameThatTheGraphHas(String grid) throws IOException {
    QwenFolder folder = QwenFolder.of("qwen2vl").copyTo(temp);
    folder.graph("vision_encoder", tower -> Renamed.input(tower, "grid_thw", grid));
    JsonNode chat = folder.reference().path("chats").get(0);
    try (VisionLanguageModel model = folder.open();
        ModelFamily family = ModelFamily.of(model)) {
      assertThat(answer(model, prompt(folder, family, chat), "none").tokens())
          .isEqualTo(QwenFolder.longs(chat.path("answer")));
    }
  }

  @Test
  void aTowerWithOtherInputsIsRefusedByTheirNames() throws IOException {
    QwenFolder folder = QwenFolder.of("qwen2vl").copyTo(temp);
    folder.graph("vision_encoder", tower -> Renamed.input(tower, "grid_thw", "sizes"));
    try (VisionLanguageModel model = folder.open()) {
      assertThatThrownBy(() -> ModelFamily.of(model))
          .isInstanceOf(ModelException.class)
          .hasMessageContaining("sizes")
          .hasMessageContaining("image_grid_thw");
    }
  }
}
