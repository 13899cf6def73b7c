package dev.squint;

import java.util.ArrayDeque;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * The pieces of one answer, for one subscriber; the request starts when it subscribes. Joined they
 * are the text of the {@link #response}.
 *
 * <p>No more pieces come than were asked for. Those that are not asked for yet wait here, no more
 * than the answer has: a slow subscriber holds no model up. Cancelling the subscription cancels the
 * request.
 */
public final class ChatStream implements Flow.Publisher<String> {

  private final Function<Consumer<String>, CompletableFuture<ChatResponse>> start;
  private final CompletableFuture<ChatResponse> response = new CompletableFuture<>();
  private final AtomicBoolean taken = new AtomicBoolean();

  /**
   * @param start starts the request with who gets its pieces
   */
  ChatStream(Function<Consumer<String>, CompletableFuture<ChatResponse>> start) {
    this.start = start;
  }

  /**
   * What came of it once all pieces are there, or how it failed. Of a cancelled subscription it is
   * a {@link CancellationException}.
   */
  public CompletionStage<ChatResponse> response() {
    return response.minimalCompletionStage();
  }

  @Override
  public void subscribe(Flow.Subscriber<? super String> subscriber) {
    Objects.requireNonNull(subscriber, "subscriber");
    if (taken.getAndSet(true)) {
      subscriber.onSubscribe(new Nothing());
      subscriber.onError(
          new IllegalStateException("the stream has its subscriber; start another request"));
      return;
    }
    new Pieces(subscriber).begin();
  }

  /** The subscription of who comes too late. */
  private static final class Nothing implements Flow.Subscription {
    @Override
    public void request(long count) {}

    @Override
    public void cancel() {}
  }

  /** What has yet to be given. One thread at a time gives. */
  private final class Pieces implements Flow.Subscription {

    private final Flow.Subscriber<? super String> subscriber;
    private final Queue<String> waiting = new ArrayDeque<>();
    private final AtomicInteger work = new AtomicInteger();
    private final CompletableFuture<ChatResponse> run = new CompletableFuture<>();
    private long wanted;
    private Throwable wrong;
    private boolean complete;
    private boolean over;

    Pieces(Flow.Subscriber<? super String> subscriber) {
      this.subscriber = subscriber;
    }

    @SuppressWarnings("FutureReturnValueIgnored") // the ends are told to the subscriber
    void begin() {
      subscriber.onSubscribe(this);
      if (isOver()) {
        return;
      }
      CompletableFuture<ChatResponse> request;
      try {
        request = start.apply(this::offer);
      } catch (RuntimeException e) {
        finish(e);
        response.completeExceptionally(e);
        return;
      }
      run.whenComplete((nothing, cancelled) -> request.cancel(true));
      request.whenComplete(
          (answer, failure) -> {
            finish(failure);
            if (failure == null) {
              response.complete(answer);
            } else {
              response.completeExceptionally(failure);
            }
          });
    }

    private synchronized boolean isOver() {
      return over;
    }

    private void offer(String piece) {
      synchronized (this) {
        if (over) {
          // Where the request runs on the subscriber's own thread, nothing else ends it.
          throw new CancellationException("the subscription was cancelled");
        }
        waiting.add(piece);
      }
      drain();
    }

    private void finish(Throwable failure) {
      synchronized (this) {
        complete = true;
        wrong = wrong == null ? failure : wrong;
      }
      drain();
    }

    @Override
    public void request(long count) {
      synchronized (this) {
        if (count < 1) {
          wrong =
              new IllegalArgumentException(
                  "%d pieces are none; ask for 1 or more".formatted(count));
        } else {
          wanted = wanted + count < 0 ? Long.MAX_VALUE : wanted + count;
        }
      }
      if (count < 1) {
        run.cancel(true);
      }
      drain();
    }

    @Override
    public void cancel() {
      synchronized (this) {
        over = true;
        waiting.clear();
      }
      run.cancel(true);
      response.cancel(true);
    }

    /** Gives what may be given; a thread that finds another one at it leaves that one more. */
    private void drain() {
      if (work.getAndIncrement() > 0) {
        return;
      }
      int left = 1;
      while (left > 0) {
        for (Runnable next = next(); next != null; next = next()) {
          next.run();
        }
        left = work.addAndGet(-left);
      }
    }

    /** The next signal, null if there is none yet. */
    private synchronized Runnable next() {
      if (over) {
        return null;
      }
      if (wrong != null) {
        Throwable why = wrong;
        over = true;
        waiting.clear();
        return () -> subscriber.onError(why);
      }
      if (wanted > 0 && !waiting.isEmpty()) {
        wanted--;
        String piece = waiting.remove();
        return () -> give(piece);
      }
      if (complete && waiting.isEmpty()) {
        over = true;
        return subscriber::onComplete;
      }
      return null;
    }

    private void give(String piece) {
      try {
        subscriber.onNext(piece);
      } catch (RuntimeException e) {
        // A subscriber that throws has broken its contract, and hears no more.
        response.completeExceptionally(e);
        cancel();
        throw e;
      }
    }
  }
}
