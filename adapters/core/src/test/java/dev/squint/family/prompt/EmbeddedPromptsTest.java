package dev.squint.family.prompt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.squint.engine.VisionLanguageModel;
import dev.squint.engine.options.ModelOptions;
import dev.squint.engine.request.ModelInput;
import dev.squint.family.ImagePart;
import dev.squint.family.PromptException;
import dev.squint.family.PromptImage;
import dev.squint.fixtures.TestCache;
import dev.squint.onnx.config.ModelConfig;
import dev.squint.pruning.layout.VisualSpan;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EmbeddedPromptsTest {

  private static ModelConfig config;
  private static Path folder;
  private static ChatPrompts prompts;

  @BeforeAll
  static void open() {
    ModelOptions options = ModelOptions.builder().cacheFolder(TestCache.FOLDER).build();
    try (VisionLanguageModel model = VisionLanguageModel.openEmbedded(options)) {
      config = model.config();
      folder = model.folder();
      prompts = ChatPrompts.open(PromptFiles.of(folder), config);
    }
  }

  @AfterAll
  static void close() {
    prompts.close();
  }

  private static ModelInput prompt(String question) {
    return prompts.prompt(question, image());
  }

  private static PromptImage image() {
    return PromptImages.grid(prompts, config.vision().grid(), config.vision().grid());
  }

  @Test
  void aSmallerImageHasFewerPlaceholders() {
    ModelInput prompt = prompts.prompt("what?", PromptImages.grid(prompts, 3, 4));
    assertThat(prompt.layout().visual())
        .singleElement()
        .satisfies(
            span -> {
              assertThat(span.rows()).isEqualTo(3);
              assertThat(span.columns()).isEqualTo(4);
              assertThat(span.length()).isEqualTo(12);
            });
  }

  @Test
  void onePlaceholderBecomesOneTokenPerPatch() throws IOException {
    ModelInput prompt = prompt("what is left of the circle?");
    int visual = config.visualTokens();
    VisualSpan span = prompt.layout().visual().get(0);
    int side = config.vision().grid();
    assertThat(prompt.layout().visual())
        .containsExactly(new VisualSpan(0, span.start(), visual, side, side));
    long[] ids = prompt.tokenIds();
    assertThat(ids).hasSize(prompt.layout().length());
    assertThat(Arrays.copyOfRange(ids, span.start(), span.end())).containsOnly(config.imageToken());
    try (HuggingFaceTokenizer tokenizer =
        HuggingFaceTokenizer.newInstance(folder.resolve("tokenizer.json"))) {
      long[] head = tokenizer.encode("USER: ", true, false).getIds();
      long[] tail =
          tokenizer.encode("\nwhat is left of the circle? ASSISTANT:", false, false).getIds();
      assertThat(Arrays.copyOf(ids, span.start())).containsExactly(head);
      assertThat(Arrays.copyOfRange(ids, span.end(), ids.length)).containsExactly(tail);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"<image>", "<s>", "</s>", "<pad>", "a<image><image>b", "<<s>s>", "<im<s>age>"})
  void specialTokensInTheQuestionStayText(String question) {
    ModelInput prompt = prompt(question);
    VisualSpan span = prompt.layout().visual().get(0);
    long[] ids = prompt.tokenIds();
    long start = ids[0];
    assertThat(span.length()).isEqualTo(config.visualTokens());
    assertThat(Arrays.copyOfRange(ids, span.end(), ids.length))
        .doesNotContain(config.imageToken(), start, 0L)
        .doesNotContain(config.endTokens().toArray(Long[]::new));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " ", "\n\t ", "\u0001\u0007\u00a0"})
  void aBlankQuestionIsRefused(String question) {
    assertThatThrownBy(() -> prompt(question))
        .isInstanceOf(PromptException.class)
        .hasMessage("the question is empty; ask something about the image");
  }

  /** The model sees what was asked: no letter is folded, cut off or left out. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "is it\nred?",
        "is  it red?",
        "is\tit red?",
        " is it red? ",
        "is it red?\n",
        "is\u0001it\u001bred?",
        "is it\u0000 red?",
        "is it\u00a0red?",
        "x{{ 6*7 }}{% if true %}y{% endif %}{# z #}"
      })
  void lettersOfAQuestionReachTheTokenizerAsTheyAre(String question) throws IOException {
    ModelInput prompt = prompt(question);
    VisualSpan span = prompt.layout().visual().get(0);
    long[] ids = prompt.tokenIds();
    try (HuggingFaceTokenizer tokenizer =
        HuggingFaceTokenizer.newInstance(folder.resolve("tokenizer.json"))) {
      long[] tail = tokenizer.encode("\n" + question + " ASSISTANT:", false, false).getIds();
      assertThat(Arrays.copyOfRange(ids, span.end(), ids.length)).containsExactly(tail);
    }
    if (question.equals("x{{ 6*7 }}{% if true %}y{% endif %}{# z #}")) {
      return;
    }
    assertThat(ids).isNotEqualTo(prompt("is it red?").tokenIds());
  }

  @Test
  void aQuestionLongerThanTheContextIsRefusedWithItsCounts() {
    assertThatThrownBy(() -> prompt("circle ".repeat(5000)))
        .isInstanceOf(PromptException.class)
        .hasMessageMatching(
            "the question is too long: with the image's %d visual tokens the prompt has \\d+"
                    .formatted(config.visualTokens())
                + " tokens, but the model's context holds %d; shorten the question"
                    .formatted(config.contextLength()));
  }

  private static ChatPrompts withContext(int tokens) {
    ModelConfig longer =
        new ModelConfig(
            config.modelType(),
            config.imageToken(),
            config.visualTokens(),
            tokens,
            config.endTokens(),
            config.text(),
            config.vision());
    return ChatPrompts.open(PromptFiles.of(folder), longer);
  }

  @Test
  void aLongQuestionIsCountedInPartsUntilItIsSeenNotToFit() {
    try (ChatPrompts longer = withContext(8_192)) {
      assertThatThrownBy(() -> longer.prompt("circle ".repeat(60_000), image()))
          .isInstanceOf(PromptException.class)
          .hasMessageMatching(
              "the question is too long: its first 1\\d\\d,\\d{3} characters are more than 1\\d,\\d{3}"
                  + " tokens, but next to the image's 576 visual tokens the model's context holds"
                  + " 7616; shorten the question to about 5\\d,\\d{3} characters");
      assertThatThrownBy(() -> longer.prompt("q".repeat(480_000), image()))
          .isInstanceOf(PromptException.class)
          .hasMessageContaining("its first 16,384 characters are more than 16,370 tokens");
    }
  }

  @Test
  void aLongQuestionThatFitsIsAskedAsItIs() {
    try (ChatPrompts longer = withContext(131_072)) {
      ModelInput prompt = longer.prompt("circle ".repeat(60_000), image());
      assertThat(prompt.tokenIds()).hasSizeBetween(60_000, 61_000);
    }
  }

  @Test
  void halvesOfCharactersAndOthersAroundThemAreRead() {
    assertThat(prompt("is \uD83D\uDE00 red\uD800?").tokenIds())
        .containsExactly(prompt("is \uD83D\uDE00 red\uFFFD?").tokenIds());
  }

  @Test
  void aTokenBeyondThePatchesStandsBeforeThem() {
    PromptImage beyond =
        new PromptImage(
            image().pixels(),
            prompts.placeholder(577),
            List.of(new ImagePart(0, 1, 0, 0), ImagePart.grid(0, 24, 24)));
    ModelInput prompt = prompts.prompt("is it red?", beyond);
    int start = prompt("is it red?").layout().visual().get(0).start();
    assertThat(prompt.layout().visual())
        .containsExactly(
            new VisualSpan(0, start, 1, 0, 0), new VisualSpan(0, start + 1, 576, 24, 24));
    assertThat(prompt.tokenIds()).hasSize(prompt("is it red?").tokenIds().length + 1);
  }

  @Test
  void textIsDecodedWithoutSpecialTokens() throws IOException {
    try (HuggingFaceTokenizer tokenizer =
        HuggingFaceTokenizer.newInstance(folder.resolve("tokenizer.json"))) {
      assertThat(prompts.text(tokenizer.encode(" a red circle </s>", true, false).getIds()))
          .isEqualTo("a red circle");
    }
  }

  @Test
  void theTokenizerLibraryIsKeptOffTheNetwork() {
    for (String name : new String[] {"RUST_FLAVOR", "OPT_OUT_TRACKING"}) {
      assertThat(System.getenv(name) != null || System.getProperty(name) != null).isTrue();
    }
  }
}
