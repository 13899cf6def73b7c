package dev.squint;

import dev.squint.engine.request.Cancellation;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Consumer;

/** A request on another thread. Whoever ends its future first ends the request. */
final class AsyncChat {

  /**
   * A thread of its own for each request: ONNX Runtime holds on to the one that calls it, so a
   * virtual thread would block its carrier. How many requests run at once is for the model to say.
   */
  static final Executor THREADS =
      task -> {
        Thread thread = new Thread(task, "squint-chat");
        thread.setDaemon(true);
        thread.start();
      };

  private final Squint squint;
  private final ChatRequest request;
  private final Consumer<? super String> pieces;
  private final long start = System.nanoTime();
  private final CompletableFuture<ChatResponse> future = new CompletableFuture<>();
  private final Cancellation ended = new Cancellation();

  private AsyncChat(Squint squint, ChatRequest request, Consumer<? super String> pieces) {
    this.squint = squint;
    this.request = request;
    this.pieces = pieces;
  }

  @SuppressWarnings("FutureReturnValueIgnored") // cancelling throws nothing
  static CompletableFuture<ChatResponse> start(
      Squint squint, ChatRequest request, Consumer<? super String> pieces, Executor executor) {
    AsyncChat chat = new AsyncChat(squint, request, pieces);
    executor.execute(chat::run);
    // After the task was taken, so that a refused one leaves nothing behind.
    chat.future.whenComplete((response, failure) -> chat.ended.cancel());
    return chat.future;
  }

  private void run() {
    if (future.isDone()) {
      return;
    }
    Cancellation.Registration link = request.cancellation().onCancel(ended::cancel);
    try {
      ChatRequest.Builder own = request.toBuilder().cancellation(ended);
      request.deadline().map(deadline -> ChatRunner.left(deadline, start)).ifPresent(own::deadline);
      future.complete(squint.chat(own.build(), this::give));
    } catch (Throwable failure) {
      future.completeExceptionally(failure);
    } finally {
      link.close();
    }
  }

  private void give(String piece) {
    if (!future.isDone()) {
      pieces.accept(piece);
    }
  }
}
