package dev.squint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.chat.Role;
import dev.squint.engine.options.ModelOptions;
import dev.squint.engine.request.FinishReason;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.engine.request.GenerationRequest.CacheReuse;
import dev.squint.error.ModelException;
import dev.squint.family.ImageOptions;
import dev.squint.family.PromptException;
import dev.squint.fixtures.TestCache;
import dev.squint.image.ImageInput;
import dev.squint.pruning.trace.SiteTrace;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Later turns are those of a fresh request with the whole history, and run only what is new. */
class ConversationTest {

  private static final String FIRST = "how many objects are there?";
  private static final String SECOND = "what color is the circle?";
  private static final GenerationOptions LOGITS =
      GenerationOptions.builder().maxNewTokens(12).keepFirstLogits(true).build();

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

  @AfterEach
  void nothingIsLeftOpen() {
    assertThat(squint.runner().model().openTensors()).isZero();
  }

  private static ConversationOptions options(String spec) {
    return ConversationOptions.builder().strategy(spec).options(LOGITS).build();
  }

  private static ChatRunner.Ran said(Conversation talk, ChatMessage message) {
    return talk.answer(message, piece -> {}, System.nanoTime());
  }

  /** The same messages as one request, from nothing. */
  private static ChatRunner.Ran fresh(String spec, List<ChatMessage> messages) {
    ChatRequest request =
        ChatRequest.builder().messages(messages).strategy(spec).options(LOGITS).build();
    Map<ShownImage, PreparedImage> seen = new HashMap<>();
    try {
      List<ChatMessage> prepared = squint.runner().prepared(messages, ImageOptions.DEFAULTS, seen);
      return squint.runner().run(request, prepared, System.nanoTime(), Optional.empty(), p -> {});
    } finally {
      seen.values().forEach(PreparedImage::close);
    }
  }

  private static void assertSame(ChatRunner.Ran turn, ChatRunner.Ran fresh) {
    assertThat(turn.generation().firstLogits())
        .containsExactly(fresh.generation().firstLogits(), Offset.offset(1e-4f));
    assertThat(turn.response().text()).isEqualTo(fresh.response().text());
  }

  /** What is chosen without a look at the question is the same in each turn. */
  @ParameterizedTest
  @ValueSource(strings = {"none", "fastervlm:keep=0.25", "divprune:keep=0.25"})
  void laterTurnsAreThoseOfAFreshRequest(String spec) {
    try (Conversation talk = squint.conversation(options(spec))) {
      ChatRunner.Ran first = said(talk, ChatMessage.user(scene, FIRST));
      assertThat(first.response().trace().reusedTokens()).isZero();
      for (String question : List.of(SECOND, "is there a square?", "how large is it?")) {
        List<ChatMessage> before = talk.history();
        ChatRunner.Ran turn = said(talk, ChatMessage.user(question));
        assertThat(turn.response().trace().reusedTokens())
            .isGreaterThanOrEqualTo(first.response().usage().prompt());
        List<ChatMessage> whole = new ArrayList<>(before);
        whole.add(ChatMessage.user(question));
        assertSame(turn, fresh(spec, whole));
      }
      assertThat(talk.history()).hasSize(8);
    }
  }

  @Test
  void whatTheFirstQuestionKeptStaysKept() {
    try (Conversation talk = squint.conversation(options("fastv:k=2,keep=0.25"))) {
      ChatResponse first = talk.ask(scene, FIRST);
      ChatResponse second = talk.ask(SECOND);
      assertThat(second.trace().reusedTokens()).isPositive();
      assertThat(second.usage().visualKept()).isEqualTo(144);
      assertThat(kept(second)).isEqualTo(kept(first));
      assertThat(second.trace().notes()).anyMatch(note -> note.contains("an earlier question"));
    }
  }

  @Test
  void orEachQuestionChoosesAnew() {
    ConversationOptions anew =
        ConversationOptions.builder()
            .strategy("fastv:k=2,keep=0.25")
            .options(LOGITS)
            .reuse(CacheReuse.SELECT_ANEW)
            .build();
    try (Conversation talk = squint.conversation(anew)) {
      talk.ask(scene, FIRST);
      List<ChatMessage> whole = new ArrayList<>(talk.history());
      ChatRunner.Ran second = said(talk, ChatMessage.user(SECOND));
      whole.add(ChatMessage.user(SECOND));
      ChatRunner.Ran fresh = fresh("fastv:k=2,keep=0.25", whole);
      assertSame(second, fresh);
      assertThat(kept(second.response())).isEqualTo(kept(fresh.response()));
      assertThat(second.response().trace().reusedTokens()).isZero();
    }
  }

  private static List<Integer> kept(ChatResponse response) {
    List<SiteTrace> sites = response.trace().sites();
    return Arrays.stream(sites.get(sites.size() - 1).keptOriginal()).boxed().toList();
  }

  @Test
  void aNewImageRunsWholeAndIsRight() {
    try (Conversation talk = squint.conversation(options("none"))) {
      talk.ask(scene, FIRST);
      List<ChatMessage> whole = new ArrayList<>(talk.history());
      ChatRunner.Ran turn = said(talk, ChatMessage.user(other, SECOND));
      whole.add(ChatMessage.user(other, SECOND));
      assertThat(turn.response().usage().visual()).isEqualTo(1152);
      assertSame(turn, fresh("none", whole));
    }
  }

  @Test
  void aForkGoesItsOwnWay() {
    Conversation talk = squint.conversation(options("none"));
    ChatResponse first = talk.ask(scene, FIRST);
    try (Conversation fork = talk.fork()) {
      ChatResponse here = talk.ask(SECOND);
      talk.close();
      talk.close();
      ChatRunner.Ran there = said(fork, ChatMessage.user("is there a square?"));
      assertThat(there.response().trace().reusedTokens())
          .isGreaterThanOrEqualTo(first.usage().prompt());
      List<ChatMessage> history = fork.history();
      assertThat(history).hasSize(4);
      assertSame(there, fresh("none", history.subList(0, 3)));
      assertThat(here.text()).isNotNull();
    }
    assertThatThrownBy(() -> talk.ask(SECOND))
        .isInstanceOf(ModelException.class)
        .hasMessage("the conversation is closed; begin another one");
  }

  @Test
  void whatTakesTooMuchIsGivenUp() {
    ConversationOptions small =
        ConversationOptions.builder().options(LOGITS).maxCacheBytes(1_000).build();
    try (Conversation talk = squint.conversation(small);
        Conversation free = squint.conversation(options("none"))) {
      assertThat(talk.ask(scene, FIRST).text()).isEqualTo(free.ask(scene, FIRST).text());
      assertThat(talk.cacheBytes()).isZero();
      assertThat(free.cacheBytes()).isGreaterThan(1_000);
      ChatResponse second = talk.ask(SECOND);
      assertThat(second.trace().reusedTokens()).isZero();
      assertThat(second.text()).isEqualTo(free.ask(SECOND).text());
    }
  }

  @Test
  void aTurnThatFailsOrIsCancelledLeavesNoTrace() {
    try (Conversation talk =
        squint.conversation(
            ConversationOptions.builder().system("be brief.").options(LOGITS).build())) {
      assertThatThrownBy(() -> talk.ask(scene, " ")).isInstanceOf(PromptException.class);
      assertThatThrownBy(
              () ->
                  talk.send(
                      ChatMessage.user(scene, FIRST),
                      piece -> {
                        throw new IllegalStateException("mine");
                      }))
          .hasMessage("mine");
      ChatResponse cut =
          talk.send(ChatMessage.user(scene, "describe the picture."), piece -> talk.cancel());
      assertThat(cut.finish()).isEqualTo(FinishReason.CANCELLED);
      assertThat(talk.history()).extracting(ChatMessage::role).containsExactly(Role.SYSTEM);
      ChatRunner.Ran turn = said(talk, ChatMessage.user(scene, FIRST));
      assertSame(turn, fresh("none", talk.history().subList(0, 2)));
      assertThat(talk.history()).hasSize(3);
    }
  }

  @Test
  void oneTurnRunsAtATime() throws InterruptedException {
    try (Conversation talk = squint.conversation(options("none"))) {
      assertThatThrownBy(() -> talk.send(ChatMessage.user(scene, FIRST), piece -> talk.ask(SECOND)))
          .isInstanceOf(ModelException.class)
          .hasMessageContaining("from within one of its turns");
      talk.ask(scene, FIRST);
      CountDownLatch begun = new CountDownLatch(1);
      AtomicReference<ChatResponse> late = new AtomicReference<>();
      Thread thread =
          new Thread(
              () -> {
                begun.countDown();
                late.set(talk.ask("is there a square?"));
              });
      talk.send(
          ChatMessage.user(SECOND),
          piece -> {
            if (thread.getState() == Thread.State.NEW) {
              thread.start();
            }
          });
      assertThat(begun.await(1, TimeUnit.MINUTES)).isTrue();
      thread.join(60_000);
      assertThat(late.get()).isNotNull();
      assertThat(talk.history()).hasSize(6);
    }
  }
}
