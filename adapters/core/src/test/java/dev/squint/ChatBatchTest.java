package dev.squint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.engine.options.ModelOptions;
import dev.squint.family.PromptException;
import dev.squint.fixtures.TestCache;
import dev.squint.image.ImageInput;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Chats that share something are answered as each alone. */
class ChatBatchTest {

  private static final List<String> QUESTIONS =
      List.of(
          "how many objects are there?",
          "what color is the circle?",
          "how many objects are there?",
          "is there a square?");

  private static Squint squint;
  private static List<ImageInput> scenes;

  @BeforeAll
  static void load() {
    squint = Squint.load(ModelOptions.builder().cacheFolder(TestCache.FOLDER).threads(1).build());
    scenes =
        Stream.of("1", "2", "3")
            .map(n -> ImageInput.of(Path.of("../../examples/images/scene-0%s.png".formatted(n))))
            .toList();
  }

  @AfterAll
  static void close() {
    squint.close();
  }

  @AfterEach
  void nothingIsLeftOpen() {
    assertThat(squint.runner().model().openTensors()).isZero();
  }

  private static ChatRequest asked(ImageInput image, String question, String spec) {
    return ChatRequest.builder().user(image, question).strategy(spec).maxTokens(12).build();
  }

  private static List<String> alone(List<ChatRequest> requests) {
    return requests.stream().map(request -> squint.chat(request).text()).toList();
  }

  @ParameterizedTest
  @CsvSource({
    "none, true",
    "'fastervlm:keep=0.25', true",
    "'fastv:k=2,keep=0.25', false",
    "'cdpruner:keep=0.25', false"
  })
  void questionsAboutOneImageShareItsBeginning(String spec, boolean shared) {
    List<ChatRequest> requests =
        QUESTIONS.stream().map(question -> asked(scenes.get(0), question, spec)).toList();
    List<ChatResponse> answers = squint.chatAll(requests);
    assertThat(answers).extracting(ChatResponse::text).isEqualTo(alone(requests));
    assertThat(answers.get(0).trace().reusedTokens()).isZero();
    for (ChatResponse later : answers.subList(1, answers.size())) {
      assertThat(later.trace().reusedTokens() > 576).isEqualTo(shared);
    }
  }

  @Test
  void differentStrategiesAndImagesStayApart() {
    List<ChatRequest> requests = new ArrayList<>();
    for (String question : QUESTIONS.subList(0, 2)) {
      for (ImageInput scene : scenes) {
        requests.add(asked(scene, question, "none"));
        requests.add(asked(scene, question, "fastervlm:keep=0.25"));
      }
      requests.add(ChatRequest.builder().user(question).maxTokens(3).build());
    }
    assertThat(squint.chatAll(requests)).extracting(ChatResponse::text).isEqualTo(alone(requests));
    assertThat(squint.chatAll(List.of())).isEmpty();
  }

  @Test
  void preparedImagesAreSharedToo() {
    try (PreparedImage scene = squint.prepare(scenes.get(0))) {
      List<ChatRequest> requests =
          QUESTIONS.stream()
              .map(question -> ChatRequest.builder().user(scene, question).maxTokens(12).build())
              .toList();
      List<ChatResponse> answers = squint.chatAll(requests);
      assertThat(answers).extracting(ChatResponse::text).isEqualTo(alone(requests));
      assertThat(answers.get(1).trace().reusedTokens()).isGreaterThan(576);
    }
  }

  @Test
  void theFirstFailureEndsThem() {
    assertThatThrownBy(
            () ->
                squint.chatAll(
                    List.of(
                        asked(scenes.get(0), "what?", "none"),
                        asked(scenes.get(0), " ", "none"),
                        asked(scenes.get(1), "what?", "none"))))
        .isInstanceOf(PromptException.class);
  }
}
