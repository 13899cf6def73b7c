package dev.squint.engine.request;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Ends requests from outside: what waits is refused, what runs is stopped in the middle of a
 * prefill too, and returns what it has with {@link FinishReason#CANCELLED}. One may serve any
 * number of requests. Thread-safe.
 */
public final class Cancellation {

  private final Map<Object, Runnable> actions = new LinkedHashMap<>();
  private boolean cancelled;

  /** Cancels; a second call does nothing. */
  public void cancel() {
    List<Runnable> due;
    synchronized (actions) {
      cancelled = true;
      due = List.copyOf(actions.values());
      actions.clear();
    }
    due.forEach(Runnable::run);
  }

  /** Whether it was cancelled. */
  public boolean isCancelled() {
    synchronized (actions) {
      return cancelled;
    }
  }

  /**
   * Has something done when it is cancelled, at once if it is.
   *
   * @param action what is to be done, on the thread that cancels
   * @return to be closed once that is no longer wanted
   */
  public Registration onCancel(Runnable action) {
    Object key = new Object();
    synchronized (actions) {
      if (!cancelled) {
        actions.put(key, action);
        return () -> forget(key);
      }
    }
    action.run();
    return () -> {};
  }

  private void forget(Object key) {
    synchronized (actions) {
      actions.remove(key);
    }
  }

  /** The wish to be told. */
  @FunctionalInterface
  public interface Registration extends AutoCloseable {
    @Override
    void close();
  }
}
