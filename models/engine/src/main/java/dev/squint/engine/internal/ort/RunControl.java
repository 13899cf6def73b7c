package dev.squint.engine.internal.ort;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.squint.engine.request.FinishReason;
import dev.squint.error.SquintException.Kind;
import java.util.Optional;

/**
 * Lets a request be ended from another thread: what runs in ONNX Runtime stops after the node it is
 * at, and nothing runs after it. Closed by the request's own thread.
 */
public final class RunControl implements AutoCloseable {

  /** Thrown through a request that was ended. */
  public static final class Ended extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final FinishReason reason;

    Ended(FinishReason reason) {
      super("the request was ended: " + reason, null, false, false);
      this.reason = reason;
    }

    public FinishReason reason() {
      return reason;
    }
  }

  private final OrtSession.RunOptions options;
  private Optional<FinishReason> ended = Optional.empty();
  private Runnable onEnd = () -> {};
  private boolean closed;

  public RunControl() {
    try {
      options = new OrtSession.RunOptions();
    } catch (OrtException e) {
      throw OrtFailure.of(
          Kind.INTERNAL, "a request could not be started", "give the process more memory", e);
    }
  }

  /** Ends the request, once; the first reason counts. */
  public void end(FinishReason reason) {
    Runnable told;
    synchronized (this) {
      if (ended.isPresent() || closed) {
        return;
      }
      ended = Optional.of(reason);
      told = onEnd;
      try {
        options.setTerminate(true);
      } catch (OrtException e) {
        throw OrtFailure.of(Kind.INTERNAL, "a request could not be ended", "report this", e);
      }
    }
    told.run();
  }

  /** Has something done when the request is ended, on the thread that ends it. */
  public synchronized void onEnd(Runnable action) {
    onEnd = action;
  }

  /** Why it was ended, if it was. */
  public synchronized Optional<FinishReason> ended() {
    return ended;
  }

  /**
   * Goes on unless the request was ended.
   *
   * @throws Ended if it was
   */
  public void check() {
    ended()
        .ifPresent(
            reason -> {
              throw new Ended(reason);
            });
  }

  OrtSession.RunOptions options() {
    return options;
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      options.close();
    }
  }
}
