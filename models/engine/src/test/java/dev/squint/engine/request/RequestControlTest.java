package dev.squint.engine.request;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.engine.OpenTinyLlava;
import dev.squint.engine.TestStrategy;
import dev.squint.engine.TinyLlava;
import dev.squint.engine.VisionLanguageModel;
import dev.squint.engine.options.OnClose;
import dev.squint.engine.options.WhenFull;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

@Tag("runtime")
class RequestControlTest {

  @RegisterExtension static final OpenTinyLlava TINY = new OpenTinyLlava();

  /** A prompt that the model has much to say to. */
  private static final ModelInput PROMPT = TinyLlava.textPrompt(20);

  private static long[] expected;

  private static GenerationRequest.Builder request() {
    return GenerationRequest.builder(PROMPT).options(TinyLlava.sixTokens());
  }

  @BeforeAll
  static void answer() {
    expected = TINY.model().generate(request().build()).tokens();
    assertThat(expected).hasSize(6);
  }

  @AfterEach
  void theNextRequestIsRight() {
    assertThat(TINY.model().generate(request().build()).tokens()).isEqualTo(expected);
  }

  @Test
  void theListenerGetsTheTokensOfTheAnswer() {
    List<Long> heard = new ArrayList<>();
    Generation answer = TINY.model().generate(request().listener(heard::add).build());
    assertThat(heard.stream().mapToLong(Long::longValue)).containsExactly(boxed(answer.tokens()));
    assertThat(answer.finish()).isEqualTo(FinishReason.LENGTH);
  }

  private static Long[] boxed(long[] tokens) {
    return Arrays.stream(tokens).boxed().toArray(Long[]::new);
  }

  @Test
  void theListenerEndsTheAnswer() {
    List<Long> heard = new ArrayList<>();
    Generation answer =
        TINY.model()
            .generate(
                request()
                    .listener(
                        token -> {
                          heard.add(token);
                          return heard.size() < 2;
                        })
                    .build());
    assertThat(answer.tokens()).hasSize(2);
    assertThat(answer.finish()).isEqualTo(FinishReason.STOP_STRING);
  }

  @Test
  void whatTheListenerThrowsReachesTheCaller() {
    IllegalStateException thrown = new IllegalStateException("enough");
    assertThatThrownBy(
            () ->
                TINY.model()
                    .generate(
                        request()
                            .listener(
                                token -> {
                                  throw thrown;
                                })
                            .build()))
        .isSameAs(thrown);
  }

  @Test
  void whatIsCancelledBeforeItBeginsRunsNothing() {
    Cancellation cancellation = new Cancellation();
    cancellation.cancel();
    Generation answer = TINY.model().generate(request().cancellation(cancellation).build());
    assertThat(answer.finish()).isEqualTo(FinishReason.CANCELLED);
    assertThat(answer.tokens()).isEmpty();
    assertThat(answer.trace().prefillFlops()).isZero();
    assertThat(answer.trace().notes()).contains("the request was ended: it was cancelled");
  }

  @Test
  void cancellingKeepsWhatWasGenerated() {
    Cancellation cancellation = new Cancellation();
    Generation answer =
        TINY.model()
            .generate(
                request()
                    .cancellation(cancellation)
                    .listener(
                        token -> {
                          cancellation.cancel();
                          return true;
                        })
                    .build());
    assertThat(answer.finish()).isEqualTo(FinishReason.CANCELLED);
    assertThat(answer.tokens()).hasSize(1);
    assertThat(answer.trace().sites()).isEmpty();
    assertThat(answer.trace().prefillFlops()).isPositive();
  }

  @Test
  void aDeadlineEndsTheRequest() {
    Generation answer = TINY.model().generate(request().deadline(Duration.ZERO).build());
    assertThat(answer.finish()).isEqualTo(FinishReason.DEADLINE);
    long start = System.nanoTime();
    Generation later =
        TINY.model()
            .generate(
                GenerationRequest.builder(TinyLlava.prompt())
                    .strategy(TestStrategy.slow(Duration.ofMillis(300)))
                    .deadline(Duration.ofMillis(100))
                    .build());
    assertThat(later.finish()).isEqualTo(FinishReason.DEADLINE);
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThan(Duration.ofMillis(100));
    assertThat(
            TINY.model().generate(request().deadline(Duration.ofSeconds(Long.MAX_VALUE)).build()))
        .extracting(Generation::finish)
        .isNotEqualTo(FinishReason.DEADLINE);
  }

  @Test
  void anInterruptCancelsAndIsKept() {
    Thread.currentThread().interrupt();
    Generation answer = TINY.model().generate(request().build());
    assertThat(Thread.interrupted()).isTrue();
    assertThat(answer.finish()).isEqualTo(FinishReason.CANCELLED);
  }

  @Test
  void whoWaitsForATurnCanBeCancelledAndIsRefusedOnceTheModelCloses() throws Exception {
    VisionLanguageModel one =
        VisionLanguageModel.open(
            TinyLlava.folder(), TinyLlava.options().toBuilder().maxConcurrentRequests(1).build());
    CountDownLatch inside = new CountDownLatch(1);
    CountDownLatch leave = new CountDownLatch(1);
    CompletableFuture<Generation> holder = holding(one, inside, leave);
    inside.await();
    Cancellation cancellation = new Cancellation();
    CompletableFuture<Generation> waiting =
        CompletableFuture.supplyAsync(
            () -> one.generate(request().cancellation(cancellation).build()));
    assertThat(one.generate(request().deadline(Duration.ofMillis(50)).build()).finish())
        .isEqualTo(FinishReason.DEADLINE);
    cancellation.cancel();
    Generation cancelled = waiting.get(1, TimeUnit.MINUTES);
    assertThat(cancelled.finish()).isEqualTo(FinishReason.CANCELLED);

    CompletableFuture<Generation> refused =
        CompletableFuture.supplyAsync(() -> one.generate(request().build()));
    CompletableFuture<Void> closing = CompletableFuture.runAsync(one::close);
    assertThatThrownBy(() -> refused.get(1, TimeUnit.MINUTES))
        .hasRootCauseMessage("the model is closed; load it again");
    assertThat(closing).isNotDone();
    leave.countDown();
    closing.get(1, TimeUnit.MINUTES);
    assertThat(holder.get().finish()).isEqualTo(FinishReason.STOP_STRING);
    assertThat(one.openTensors()).isZero();
  }

  private static CompletableFuture<Generation> holding(
      VisionLanguageModel model, CountDownLatch inside, CountDownLatch leave) {
    return CompletableFuture.supplyAsync(
        () ->
            model.generate(
                request()
                    .listener(
                        token -> {
                          inside.countDown();
                          await(leave);
                          return false;
                        })
                    .build()));
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void aFullEngineRefuses() throws Exception {
    try (VisionLanguageModel one =
        VisionLanguageModel.open(
            TinyLlava.folder(),
            TinyLlava.options().toBuilder()
                .maxConcurrentRequests(1)
                .whenFull(WhenFull.REFUSE)
                .build())) {
      CountDownLatch inside = new CountDownLatch(1);
      CountDownLatch leave = new CountDownLatch(1);
      CompletableFuture<Generation> holder = holding(one, inside, leave);
      inside.await();
      assertThatThrownBy(() -> one.generate(request().build()))
          .isInstanceOf(ModelException.class)
          .hasMessageStartingWith("the engine is full: 1 requests run in it; try again later")
          .extracting(e -> ((SquintException) e).kind())
          .isEqualTo(SquintException.Kind.OVERLOAD);
      leave.countDown();
      holder.get(1, TimeUnit.MINUTES);
      assertThat(one.generate(request().build()).tokens()).isNotEmpty();
    }
  }

  @Test
  void aRequestBeyondTheBudgetIsRefusedBeforeItRuns() {
    try (VisionLanguageModel small =
        VisionLanguageModel.open(
            TinyLlava.folder(), TinyLlava.options().toBuilder().memoryBudget(1000).build())) {
      assertThatThrownBy(() -> small.generate(request().build()))
          .isInstanceOf(ModelException.class)
          .hasMessageContaining("but the budget of all requests together is 1,000");
    }
  }

  @Test
  void closingCancelsWhereItIsToldTo() throws Exception {
    VisionLanguageModel model =
        VisionLanguageModel.open(
            TinyLlava.folder(), TinyLlava.options().toBuilder().onClose(OnClose.CANCEL).build());
    CountDownLatch inside = new CountDownLatch(1);
    CompletableFuture<Generation> under =
        CompletableFuture.supplyAsync(
            () ->
                model.generate(
                    request()
                        .listener(
                            token -> {
                              inside.countDown();
                              assertThatThrownBy(model::close)
                                  .hasMessageContaining("from within a request");
                              pause();
                              return true;
                            })
                        .build()));
    inside.await();
    model.close();
    Generation answer = under.get(1, TimeUnit.MINUTES);
    assertThat(answer.finish()).isEqualTo(FinishReason.CANCELLED);
    assertThat(model.openTensors()).isZero();
  }

  private static void pause() {
    try {
      Thread.sleep(300);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
