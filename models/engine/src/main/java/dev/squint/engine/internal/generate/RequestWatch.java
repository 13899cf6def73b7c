package dev.squint.engine.internal.generate;

import dev.squint.engine.internal.ort.RunControl;
import dev.squint.engine.request.Cancellation;
import dev.squint.engine.request.FinishReason;
import dev.squint.engine.request.GenerationRequest;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Ends the requests of a model that were cancelled, whose deadline has passed, or whose thread was
 * interrupted. A thread within ONNX Runtime notices none of these, so another one looks.
 */
public final class RequestWatch implements AutoCloseable {

  private static final long LOOK_MILLIS = 20;

  private final ScheduledThreadPoolExecutor clock;
  private final Set<RunControl> running = ConcurrentHashMap.newKeySet();

  public RequestWatch() {
    clock =
        new ScheduledThreadPoolExecutor(
            1,
            work -> {
              Thread thread = new Thread(null, work, "squint-watch", 0, false);
              thread.setContextClassLoader(null);
              thread.setDaemon(true);
              return thread;
            });
    clock.setRemoveOnCancelPolicy(true);
    clock.setKeepAliveTime(1, TimeUnit.SECONDS);
    clock.allowCoreThreadTimeOut(true);
  }

  /** One request under watch, on the thread that asks; closed by it. */
  public final class Watched implements AutoCloseable {

    private final RunControl control = new RunControl();
    private final Cancellation.Registration cancelled;
    private final ScheduledFuture<?> looking;

    private Watched(GenerationRequest request) {
      Thread asking = Thread.currentThread();
      long start = System.nanoTime();
      running.add(control);
      cancelled = request.cancellation().onCancel(() -> control.end(FinishReason.CANCELLED));
      long deadline = request.deadline().map(RequestWatch::nanos).orElse(Long.MAX_VALUE);
      Runnable look =
          () -> {
            if (asking.isInterrupted()) {
              control.end(FinishReason.CANCELLED);
            } else if (System.nanoTime() - start >= deadline) {
              control.end(FinishReason.DEADLINE);
            }
          };
      look.run();
      looking = clock.scheduleWithFixedDelay(look, LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
    }

    public RunControl control() {
      return control;
    }

    @Override
    public void close() {
      looking.cancel(false);
      cancelled.close();
      running.remove(control);
      control.close();
    }
  }

  private static long nanos(Duration duration) {
    try {
      return duration.toNanos();
    } catch (ArithmeticException e) {
      return Long.MAX_VALUE;
    }
  }

  /** Watches over a request of this thread. */
  public Watched watch(GenerationRequest request) {
    return new Watched(request);
  }

  /** Cancels all that runs. */
  public void cancelAll() {
    running.forEach(control -> control.end(FinishReason.CANCELLED));
  }

  @Override
  public void close() {
    clock.shutdownNow();
  }
}
