package dev.squint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.engine.options.ModelOptions;
import dev.squint.engine.options.OnClose;
import dev.squint.engine.request.Cancellation;
import dev.squint.engine.request.FinishReason;
import dev.squint.family.PromptException;
import dev.squint.fixtures.TestCache;
import dev.squint.image.ImageInput;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Flow;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What those who hand answers on rely on: order, one end, nothing after it, nothing lost. */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class ChatContractTest {

  private static Squint squint;
  private static PreparedImage scene;
  private static String text;

  @BeforeAll
  static void load() {
    squint = Squint.load(ModelOptions.builder().cacheFolder(TestCache.FOLDER).threads(1).build());
    scene = squint.prepare(ImageInput.of(Path.of("../../examples/images/scene-01.png")));
    text = squint.chat(request()).text();
  }

  @AfterAll
  static void close() {
    scene.close();
    squint.close();
  }

  /** Whatever a test did, the model answers the next request as it did the first. */
  @AfterEach
  void theNextRequestIsRight() {
    assertThat(squint.chat(request()).text()).isEqualTo(text);
  }

  private static ChatRequest request() {
    return ChatRequest.builder().user(scene, "describe the picture.").build();
  }

  private static Throwable failure(CompletableFuture<?> future) {
    try {
      future.get(2, TimeUnit.MINUTES);
    } catch (ExecutionException e) {
      return e.getCause();
    } catch (Exception e) {
      return e;
    }
    return new AssertionError("it did not fail");
  }

  // Futures

  @Test
  void aFutureCompletesAfterAllPieces() throws Exception {
    List<String> pieces = Collections.synchronizedList(new ArrayList<>());
    CompletableFuture<String> joined =
        squint
            .chatAsync(request(), pieces::add, AsyncChat.THREADS)
            .thenApply(response -> String.join("", pieces));
    assertThat(joined.get(2, TimeUnit.MINUTES)).isEqualTo(text);
    assertThat(squint.chatAsync(request()).get(2, TimeUnit.MINUTES).text()).isEqualTo(text);
  }

  @Test
  void cancellingAFutureEndsItsRequest() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch cancelled = new CountDownLatch(1);
    List<String> pieces = Collections.synchronizedList(new ArrayList<>());
    CompletableFuture<Void> left = new CompletableFuture<>();
    Executor executor =
        task ->
            AsyncChat.THREADS.execute(
                () -> {
                  task.run();
                  left.complete(null);
                });
    CompletableFuture<ChatResponse> future =
        squint.chatAsync(
            request(),
            piece -> {
              pieces.add(piece);
              begun.countDown();
              await(cancelled);
            },
            executor);
    await(begun);
    assertThat(future.cancel(true)).isTrue();
    cancelled.countDown();
    left.get(2, TimeUnit.MINUTES);
    assertThat(pieces).hasSize(1);
    assertThat(future).isCancelled();
  }

  @Test
  void aFutureThatIsCancelledBeforeItRunsNeverRuns() {
    List<Runnable> tasks = new ArrayList<>();
    List<String> pieces = new ArrayList<>();
    CompletableFuture<ChatResponse> future = squint.chatAsync(request(), pieces::add, tasks::add);
    future.cancel(true);
    tasks.forEach(Runnable::run);
    assertThat(pieces).isEmpty();
    assertThat(failure(future)).isInstanceOf(CancellationException.class);
  }

  @Test
  void aRequestThatIsCancelledReturnsWhatItHas() throws Exception {
    Cancellation cancellation = new Cancellation();
    List<String> pieces = Collections.synchronizedList(new ArrayList<>());
    ChatResponse response =
        squint
            .chatAsync(
                request().toBuilder().cancellation(cancellation).build(),
                piece -> {
                  pieces.add(piece);
                  if (pieces.size() == 2) {
                    cancellation.cancel();
                  }
                },
                AsyncChat.THREADS)
            .get(2, TimeUnit.MINUTES);
    assertThat(response.finish()).isEqualTo(FinishReason.CANCELLED);
    assertThat(text).startsWith(response.text());
    assertThat(response.text()).isEqualTo(String.join("", pieces)).isNotEqualTo(text);
  }

  /** Waiting for a thread is part of the time that a request has. */
  @Test
  void aDeadlineCountsFromTheCall() throws Exception {
    CompletableFuture<ChatResponse> future =
        squint.chatAsync(
            request().toBuilder().deadline(Duration.ofMillis(50)).build(),
            piece -> {},
            task ->
                AsyncChat.THREADS.execute(
                    () -> {
                      LockSupport.parkNanos(200_000_000);
                      task.run();
                    }));
    ChatResponse response = future.get(1, TimeUnit.MINUTES);
    assertThat(response.finish()).isEqualTo(FinishReason.DEADLINE);
    assertThat(response.text()).isEmpty();
    assertThat(response.usage().generated()).isZero();
  }

  @Test
  void failuresReachWhoWaits() {
    ChatRequest blank = ChatRequest.builder().user(scene, " ").build();
    assertThat(failure(squint.chatAsync(blank))).isInstanceOf(PromptException.class);
    assertThatThrownBy(() -> squint.chatAsync(blank).join())
        .isInstanceOf(CompletionException.class)
        .hasCauseInstanceOf(PromptException.class);
  }

  @Test
  void whatAListenerThrowsReachesTheCaller() {
    IllegalStateException mine = new IllegalStateException("mine");
    List<String> pieces = Collections.synchronizedList(new ArrayList<>());
    Consumer<String> throwing =
        piece -> {
          pieces.add(piece);
          throw mine;
        };
    assertThatThrownBy(() -> squint.chat(request(), throwing)).isSameAs(mine);
    assertThat(failure(squint.chatAsync(request(), throwing, AsyncChat.THREADS))).isSameAs(mine);
    assertThat(pieces).hasSize(2);
  }

  @Test
  void closingFromWithinARequestIsRefused() {
    assertThatThrownBy(() -> squint.chat(request(), piece -> squint.close()))
        .hasMessageContaining("from within one of its requests");
  }

  @ParameterizedTest
  @EnumSource(OnClose.class)
  void closingWaitsForAnswersOrCancelsThem(OnClose onClose) throws Exception {
    Squint closing =
        Squint.load(ModelOptions.builder().cacheFolder(TestCache.FOLDER).onClose(onClose).build());
    ChatRequest same =
        ChatRequest.builder()
            .user(
                ImageInput.of(Path.of("../../examples/images/scene-01.png")),
                "describe the picture.")
            .build();
    CountDownLatch begun = new CountDownLatch(1);
    CompletableFuture<ChatResponse> future =
        closing.chatAsync(
            same,
            piece -> {
              begun.countDown();
              LockSupport.parkNanos(20_000_000);
            },
            AsyncChat.THREADS);
    await(begun);
    closing.close();
    ChatResponse response = future.get(1, TimeUnit.MINUTES);
    assertThat(response.finish())
        .isEqualTo(onClose == OnClose.WAIT ? FinishReason.STOP : FinishReason.CANCELLED);
    assertThat(text).startsWith(response.text());
    assertThatThrownBy(() -> closing.chat(same)).hasMessageContaining("the model is closed");
  }

  @Test
  void anInterruptedCallerGetsWhatThereIsAndStaysInterrupted() {
    ChatResponse response = squint.chat(request(), piece -> Thread.currentThread().interrupt());
    assertThat(Thread.interrupted()).isTrue();
    assertThat(response.finish()).isEqualTo(FinishReason.CANCELLED);
    assertThat(text).startsWith(response.text());
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(2, TimeUnit.MINUTES)).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  // Publishers

  /** Notes each signal in order, and asks for pieces as it is told. */
  private static class Noting implements Flow.Subscriber<String> {

    final List<String> signals = Collections.synchronizedList(new ArrayList<>());
    final StringBuffer pieces = new StringBuffer();
    final CountDownLatch ended = new CountDownLatch(1);
    final long first;
    volatile Flow.Subscription subscription;
    volatile Throwable failure;

    Noting(long first) {
      this.first = first;
    }

    @Override
    public void onSubscribe(Flow.Subscription given) {
      signals.add("subscribed");
      subscription = given;
      if (first > 0) {
        given.request(first);
      }
    }

    @Override
    public void onNext(String piece) {
      signals.add("piece");
      pieces.append(piece);
    }

    @Override
    public void onError(Throwable why) {
      signals.add("failed");
      failure = why;
      ended.countDown();
    }

    @Override
    public void onComplete() {
      signals.add("complete");
      ended.countDown();
    }

    long pieceCount() {
      return signals.stream().filter("piece"::equals).count();
    }
  }

  @Test
  void aStreamSaysAllInOrderAndEndsOnce() throws Exception {
    ChatStream stream = squint.stream(request());
    Noting noting = new Noting(Long.MAX_VALUE);
    stream.subscribe(noting);
    await(noting.ended);
    assertThat(noting.pieces.toString()).isEqualTo(text);
    assertThat(noting.signals).startsWith("subscribed").endsWith("complete");
    assertThat(noting.signals.subList(1, noting.signals.size() - 1)).containsOnly("piece");
    assertThat(stream.response().toCompletableFuture().get(1, TimeUnit.MINUTES).text())
        .isEqualTo(text);
    noting.subscription.request(1);
    noting.subscription.cancel();
    assertThat(noting.signals).endsWith("piece", "complete");
  }

  @Test
  void noMorePiecesComeThanWereAskedFor() throws Exception {
    ChatStream stream = squint.stream(request());
    Noting noting = new Noting(0);
    stream.subscribe(noting);
    stream.response().toCompletableFuture().get(2, TimeUnit.MINUTES);
    assertThat(noting.signals).containsExactly("subscribed");
    for (long count = 1; count < 4; count++) {
      noting.subscription.request(1);
      assertThat(noting.pieceCount()).isEqualTo(count);
    }
    assertThat(noting.ended.getCount()).isOne();
    noting.subscription.request(Long.MAX_VALUE);
    noting.subscription.request(Long.MAX_VALUE);
    await(noting.ended);
    assertThat(noting.pieces.toString()).isEqualTo(text);
  }

  @Test
  void aSubscriberMayAskFromWithinItsSignals() throws Exception {
    Noting noting =
        new Noting(1) {
          @Override
          public void onNext(String piece) {
            super.onNext(piece);
            subscription.request(1);
          }
        };
    squint.stream(request()).subscribe(noting);
    await(noting.ended);
    assertThat(noting.pieces.toString()).isEqualTo(text);
  }

  @Test
  void nothingComesAfterCancelling() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    Noting noting =
        new Noting(Long.MAX_VALUE) {
          @Override
          public void onNext(String piece) {
            super.onNext(piece);
            subscription.cancel();
            begun.countDown();
          }
        };
    ChatStream stream = squint.stream(request());
    stream.subscribe(noting);
    await(begun);
    assertThat(failure(stream.response().toCompletableFuture()))
        .isInstanceOf(CancellationException.class);
    assertThat(squint.chat(request()).text()).isEqualTo(text);
    assertThat(noting.signals).containsExactly("subscribed", "piece");
  }

  /** There, cancelling comes before the stream has the request in hand. */
  @Test
  void aSubscriberOnTheThreadOfItsRequestCancelsItToo() {
    List<Integer> counts = new ArrayList<>();
    for (boolean cancels : new boolean[] {false, true}) {
      Noting noting =
          new Noting(Long.MAX_VALUE) {
            @Override
            public void onNext(String piece) {
              super.onNext(piece);
              if (cancels) {
                subscription.cancel();
              }
            }
          };
      squint.stream(request(), Runnable::run).subscribe(noting);
      counts.add(noting.signals.size());
    }
    assertThat(counts.get(0)).isGreaterThan(3);
    assertThat(counts.get(1)).isEqualTo(2);
  }

  @Test
  void askingForNothingIsAnError() throws Exception {
    Noting noting = new Noting(0);
    squint.stream(request()).subscribe(noting);
    noting.subscription.request(0);
    await(noting.ended);
    assertThat(noting.failure).isInstanceOf(IllegalArgumentException.class);
    assertThat(noting.signals).containsExactly("subscribed", "failed");
  }

  @Test
  void aFailureIsTheOnlyEnd() throws Exception {
    Noting noting = new Noting(Long.MAX_VALUE);
    ChatStream stream = squint.stream(ChatRequest.builder().user(scene, " ").build());
    stream.subscribe(noting);
    await(noting.ended);
    assertThat(noting.failure).isInstanceOf(PromptException.class);
    assertThat(noting.signals).containsExactly("subscribed", "failed");
    assertThat(failure(stream.response().toCompletableFuture()))
        .isInstanceOf(PromptException.class);
  }

  @Test
  void aSecondSubscriberIsSentAway() throws Exception {
    ChatStream stream = squint.stream(request());
    Noting first = new Noting(Long.MAX_VALUE);
    Noting second = new Noting(Long.MAX_VALUE);
    stream.subscribe(first);
    stream.subscribe(second);
    assertThat(second.signals).containsExactly("subscribed", "failed");
    await(first.ended);
    assertThat(first.pieces.toString()).isEqualTo(text);
  }

  @Test
  void aSubscriberThatThrowsHearsNoMore() {
    IllegalStateException mine = new IllegalStateException("mine");
    Noting noting =
        new Noting(Long.MAX_VALUE) {
          @Override
          public void onNext(String piece) {
            super.onNext(piece);
            throw mine;
          }
        };
    ChatStream stream = squint.stream(request());
    stream.subscribe(noting);
    assertThat(failure(stream.response().toCompletableFuture())).isSameAs(mine);
    assertThat(noting.signals).containsExactly("subscribed", "piece");
  }

  @Test
  void anExecutorThatIsFullIsAFailure() throws Exception {
    Noting noting = new Noting(1);
    squint.stream(
            request(),
            task -> {
              throw new RejectedExecutionException("full");
            })
        .subscribe(noting);
    await(noting.ended);
    assertThat(noting.signals).containsExactly("subscribed", "failed");
  }
}
