package dev.squint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.chat.Role;
import dev.squint.engine.options.ModelOptions;
import dev.squint.engine.request.FinishReason;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException;
import dev.squint.error.StrategyException;
import dev.squint.family.PromptException;
import dev.squint.fixtures.TestCache;
import dev.squint.image.ImageInput;
import dev.squint.pruning.Strategies;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Requests to the embedded model. */
class ChatTest {

  private static final String QUESTION = "describe the picture.";

  private static Squint squint;
  private static ImageInput scene;
  private static ImageInput other;

  @BeforeAll
  static void load() {
    squint = Squint.load(ModelOptions.builder().cacheFolder(TestCache.FOLDER).threads(1).build());
    scene = ImageInput.of(Path.of("../../examples/images/scene-01.png"));
    other = ImageInput.of(Path.of("../../examples/images/scene-02.png"));
  }

  @AfterAll
  static void close() {
    squint.close();
  }

  private static ChatRequest.Builder asked() {
    return ChatRequest.builder().user(scene, QUESTION);
  }

  @Test
  void aRequestIsAnsweredAsAQuestionIs() {
    for (String spec : List.of("none", "fastv:k=2,keep=0.5", "fastervlm:keep=0.25")) {
      ChatResponse response = squint.chat(asked().strategy(spec).build());
      Answer answer =
          squint.ask(scene, QUESTION, Strategies.parse(spec), GenerationOptions.defaults());
      assertThat(response.text()).isNotEmpty().isEqualTo(answer.text());
      assertThat(response.finish()).isEqualTo(FinishReason.STOP);
      assertThat(response.trace().strategy()).isEqualTo(answer.trace().strategy());
    }
  }

  @Test
  void usageCountsWhatThePromptHasAndWhatStays() {
    ChatResponse whole = squint.chat(asked().build());
    ChatResponse pruned = squint.chat(asked().strategy("fastv:k=2,keep=0.5").build());
    TokenUsage usage = pruned.usage();
    assertThat(usage.visual()).isEqualTo(576);
    assertThat(usage.visualKept()).isEqualTo(288);
    assertThat(usage.text()).isEqualTo(whole.usage().text()).isPositive();
    assertThat(usage.prompt()).isEqualTo(pruned.trace().promptTokens());
    assertThat(usage.generated()).isEqualTo(pruned.trace().timings().generatedTokens());
    assertThat(usage.total()).isEqualTo(usage.prompt() + usage.generated());
    assertThat(whole.usage().visualKept()).isEqualTo(576);
  }

  @Test
  void everyPhaseIsTimed() {
    var timings = squint.chat(asked().build()).trace().timings();
    assertThat(timings.preprocessingNanos()).isPositive();
    assertThat(timings.visionNanos()).isPositive();
    assertThat(timings.prefillNanos()).isPositive();
    assertThat(timings.decodeNanos()).isPositive();
  }

  /** The words of the model's own template, written out or as another template. */
  @Test
  void aTemplateOrAPromptOfTheCallersTakesThePlaceOfTheModelsOwn() {
    String own = squint.chat(asked().build()).text();
    String flat = "USER: <image>\n{{ messages[0].content[1].text }} ASSISTANT:";
    assertThat(squint.chat(asked().chatTemplate(flat).build()).text()).isEqualTo(own);
    String prompt = squint.promptTemplate().replace("{question}", QUESTION);
    ChatRequest raw = ChatRequest.builder().user(scene, prompt).rawPrompt().build();
    assertThat(squint.chat(raw).text()).isEqualTo(own);
    assertThat(squint.chat(raw).usage()).isEqualTo(squint.chat(asked().build()).usage());
  }

  @Test
  void aTemplateOrAPromptThatDoesNotFitTheImagesIsRefused() {
    assertThatThrownBy(() -> squint.chat(asked().chatTemplate("USER: hello").build()))
        .isInstanceOf(ModelException.class)
        .hasMessageStartingWith("the chat template given: a question about an image")
        .hasMessageContaining("no '<image>' for the image");
    assertThatThrownBy(() -> squint.chat(asked().chatTemplate("{% include 'x' %}").build()))
        .isInstanceOf(ModelException.class)
        .hasMessageStartingWith("the chat template given: this chat template cannot be rendered");
    for (String prompt : List.of("what?", "<image><image> what?")) {
      assertThatThrownBy(
              () -> squint.chat(ChatRequest.builder().user(scene, prompt).rawPrompt().build()))
          .isInstanceOf(ModelException.class)
          .hasMessageContaining("and there are 1 images");
    }
    assertThatThrownBy(
            () -> squint.chat(asked().system("be brief").user("what?").rawPrompt().build()))
        .isInstanceOf(PromptException.class)
        .hasMessageStartingWith("a raw prompt is one message with one text");
  }

  @Test
  void boundsOfPixelsAreRefusedWhereImagesHaveOneSize() {
    assertThatThrownBy(() -> squint.chat(asked().maxImagePixels(1000).build()))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("ask without bounds of pixels");
  }

  @Test
  void piecesAreGivenInOrderAndAreTheAnswer() {
    List<String> pieces = new ArrayList<>();
    Thread caller = Thread.currentThread();
    ChatResponse response =
        squint.chat(
            asked().build(),
            piece -> {
              assertThat(Thread.currentThread()).isSameAs(caller);
              pieces.add(piece);
            });
    assertThat(pieces.size()).isGreaterThan(3);
    assertThat(String.join("", pieces))
        .isEqualTo(response.text())
        .isEqualTo(squint.chat(asked().build()).text());
  }

  @Test
  void aStopStringEndsTheAnswerBeforeIt() {
    String whole = squint.chat(asked().build()).text();
    String stop = whole.substring(whole.length() - 8);
    ChatResponse response = squint.chat(asked().stop("never said", stop).build());
    assertThat(response.finish()).isEqualTo(FinishReason.STOP_STRING);
    assertThat(response.text()).isEqualTo(whole.substring(0, whole.indexOf(stop)).strip());
    assertThat(response.usage().generated())
        .isLessThanOrEqualTo(squint.chat(asked().build()).usage().generated());
  }

  @Test
  void anAnswerThatIsCutOffSaysSo() {
    ChatResponse response = squint.chat(asked().maxTokens(2).build());
    assertThat(response.finish()).isEqualTo(FinishReason.LENGTH);
    assertThat(response.usage().generated()).isEqualTo(2);
  }

  @Test
  void textAloneIsAnswered() {
    ChatResponse response =
        squint.chat(
            ChatRequest.builder()
                .user("how many circles are there?")
                .strategy("fastv:k=2,keep=0.5")
                .maxTokens(4)
                .build());
    assertThat(response.usage().visual()).isZero();
    assertThat(response.usage().visualKept()).isZero();
    assertThat(response.trace().sites()).isEmpty();
    assertThat(response.trace().notes()).anyMatch(note -> note.contains("no image"));
  }

  @Test
  void systemAndEarlierTurnsArePartOfThePrompt() {
    int alone = squint.chat(asked().maxTokens(1).build()).usage().text();
    ChatResponse response =
        squint.chat(
            ChatRequest.builder()
                .system("be brief.")
                .user(scene, "how many objects are there?")
                .assistant("three")
                .user("what color is the circle?")
                .maxTokens(1)
                .build());
    assertThat(response.usage().text()).isGreaterThan(alone);
    assertThat(response.usage().visual()).isEqualTo(576);
  }

  @Test
  void severalImagesAreSeenEachInItsPlace() {
    ChatRequest one = ChatRequest.builder().user(scene, QUESTION).maxTokens(12).build();
    ChatMessage both = ChatMessage.user(List.of(scene, other), QUESTION);
    ChatMessage turned = ChatMessage.user(List.of(other, scene), QUESTION);
    ChatResponse response =
        squint.chat(one.toBuilder().messages(List.of(both)).strategy("fastv").build());
    assertThat(response.usage().visual()).isEqualTo(1152);
    assertThat(response.usage().visualKept()).isEqualTo(576);
    String inOrder = squint.chat(one.toBuilder().messages(List.of(both)).build()).text();
    String inTurn = squint.chat(one.toBuilder().messages(List.of(turned)).build()).text();
    assertThat(inOrder).isNotEqualTo(inTurn);
  }

  @Test
  void aPreparedImageIsNotClosedByARequest() {
    try (PreparedImage prepared = squint.prepare(scene)) {
      ChatRequest request = ChatRequest.builder().user(prepared, QUESTION).maxTokens(4).build();
      String first = squint.chat(request).text();
      assertThat(squint.chat(request).text()).isEqualTo(first);
    }
  }

  @Test
  void requestsThatCannotBeAreRefusedInOneSentence() {
    refused(PromptException.class, () -> ChatRequest.builder().build(), "has no messages");
    refused(
        PromptException.class,
        () -> new ChatMessage(Role.USER, List.of()),
        "neither a text nor an image");
    refused(ModelException.class, () -> asked().stop("").build(), "0 characters");
    refused(ModelException.class, () -> asked().stop("a\ud83d").build(), "half of a character");
    refused(ModelException.class, () -> asked().maxTokens(0).build(), "at least one token");
    refused(
        ModelException.class, () -> asked().deadline(Duration.ZERO).build(), "more than no time");
    refused(StrategyException.class, () -> asked().strategy("fastvv"), "did you mean");
    refused(
        StrategyException.class,
        () -> squint.chat(asked().strategy("fastv:k=99,keep=0.5").build()),
        "k=99");
    refused(
        PromptException.class,
        () -> squint.chat(ChatRequest.builder().user(" \n").build()),
        "the question is empty");
    refused(
        PromptException.class,
        () -> squint.chat(ChatRequest.builder().system(" ").user(scene, "what?").build()),
        "the system message is empty");
    refused(
        PromptException.class,
        () -> squint.chat(asked().assistant("a cat").build()),
        "do not end with the user's");
    refused(
        PromptException.class,
        () ->
            squint.chat(
                ChatRequest.builder()
                    .user(scene, "circle ".repeat(2000))
                    .assistant("")
                    .user("circle ".repeat(3000))
                    .build()),
        "the conversation is too long: with the image's 576 visual tokens the prompt has");
  }

  private static void refused(
      Class<? extends SquintException> kind, Runnable request, String sentence) {
    assertThatThrownBy(request::run)
        .isInstanceOf(kind)
        .hasMessageContaining(sentence)
        .hasMessageMatching("[^\\n]+; [^\\n]+");
  }

  @Test
  void aRequestCanBeChangedIntoAnother() {
    ChatRequest request = asked().stop("x").maxTokens(3).strategy("fastv").seed(4).build();
    ChatRequest same = request.toBuilder().build();
    assertThat(same.messages()).isEqualTo(request.messages());
    assertThat(same.strategy()).isEqualTo(request.strategy());
    assertThat(same.options()).isEqualTo(request.options());
    assertThat(same.stop()).containsExactly("x");
    assertThat(same.cancellation()).isSameAs(request.cancellation());
    assertThat(request.toBuilder().maxTokens(5).build().options().maxNewTokens()).isEqualTo(5);
    assertThat(request.options().maxNewTokens()).isEqualTo(3);
  }

  @Test
  void warmedUpAModelHasOpenedWhatItNeeds() {
    squint.warmUp(List.of("none", "fastv:k=3,keep=0.5"));
    assertThatThrownBy(() -> squint.warmUp(List.of("fastv:k=99,keep=0.5")))
        .isInstanceOf(StrategyException.class);
  }
}
