package dev.squint.engine.internal.generate;

import dev.squint.engine.internal.ort.RunControl;
import dev.squint.engine.options.ModelOptions;
import dev.squint.engine.options.WhenFull;
import dev.squint.engine.request.FinishReason;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The door to the engine: at most so many requests are inside at a time, their KV caches and
 * features within a budget; the others wait their turn. What conversations keep counts too, and
 * gives way, the least recently used first.
 */
public final class Admission {

  /** Something that is kept only as long as there is room for it. */
  interface Kept {
    /** Frees it, unless it is in use. */
    void reclaim();
  }

  private final int most;
  private final int mostWaiting;
  private final long budget;
  private final WhenFull whenFull;
  private final Object lock = new Object();
  private final List<Thread> inside = new ArrayList<>();
  private final Deque<Object> queue = new ArrayDeque<>();
  private final Map<Kept, Long> kept = new LinkedHashMap<>();
  private long reserved;
  private boolean closed;

  public Admission(ModelOptions options) {
    most = options.maxConcurrentRequests();
    mostWaiting = options.maxWaitingRequests();
    budget = options.memoryBudget();
    whenFull = options.whenFull();
  }

  /** A place inside. */
  public final class Ticket implements AutoCloseable {

    private final Thread thread = Thread.currentThread();
    private final long bytes;
    private final long waitedNanos;

    private Ticket(long bytes, long waitedNanos) {
      this.bytes = bytes;
      this.waitedNanos = waitedNanos;
    }

    long waitedNanos() {
      return waitedNanos;
    }

    @Override
    public void close() {
      synchronized (lock) {
        inside.remove(thread);
        reserved -= bytes;
        lock.notifyAll();
      }
    }
  }

  /**
   * Lets a request in, now or when it is its turn.
   *
   * @param bytes what it will take at most
   * @param control ends the waiting
   * @return the place, to be given back
   * @throws ModelException if it can never be let in, or the engine is full and requests do not
   *     wait, or too many wait, or the model is closed
   * @throws RunControl.Ended if it was ended while it waited
   */
  public Ticket enter(long bytes, RunControl control) {
    long start = System.nanoTime();
    if (bytes > budget) {
      throw new ModelException(
          Kind.BAD_REQUEST,
          "the request needs %,d bytes for its KV cache and features, but the budget of all requests together is %,d; shorten the prompt or the answer, or raise memoryBudget"
              .formatted(bytes, budget));
    }
    Object me = new Object();
    control.onEnd(this::look);
    synchronized (lock) {
      if (!queue.isEmpty() || !fits(bytes)) {
        requireRoomToWait(bytes);
      }
      queue.add(me);
    }
    try {
      while (true) {
        Kept victim;
        synchronized (lock) {
          requireOpen();
          boolean next = queue.peek() == me;
          if (next && fits(bytes)) {
            inside.add(Thread.currentThread());
            reserved += bytes;
            return new Ticket(bytes, System.nanoTime() - start);
          }
          victim = next ? oldestInTheWay(bytes) : null;
          if (victim == null) {
            control.check();
            lock.wait();
          }
        }
        if (victim != null) {
          victim.reclaim();
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      control.end(FinishReason.CANCELLED);
      control.check();
      throw new IllegalStateException(e);
    } finally {
      synchronized (lock) {
        queue.remove(me);
        lock.notifyAll();
      }
    }
  }

  private void look() {
    synchronized (lock) {
      lock.notifyAll();
    }
  }

  private boolean fits(long bytes) {
    return inside.size() < most && reserved + bytes + keptBytes() <= budget;
  }

  private long keptBytes() {
    return kept.values().stream().mapToLong(Long::longValue).sum();
  }

  /** What has to give way before the next request is let in; null if it is not for lack of that. */
  private Kept oldestInTheWay(long bytes) {
    Iterator<Kept> oldest = kept.keySet().iterator();
    boolean crowded = inside.size() < most && reserved + bytes + keptBytes() > budget;
    if (!crowded || !oldest.hasNext()) {
      return null;
    }
    Kept victim = oldest.next();
    kept.remove(victim);
    return victim;
  }

  private void requireRoomToWait(long bytes) {
    requireOpen();
    boolean room = queue.isEmpty() && inside.size() < most && reserved + bytes <= budget;
    if (room) {
      return;
    }
    if (whenFull == WhenFull.REFUSE) {
      throw new ModelException(
          Kind.OVERLOAD,
          "the engine is full: %d requests run in it; try again later, let requests wait, or raise maxConcurrentRequests or memoryBudget"
              .formatted(inside.size()));
    }
    if (queue.size() >= mostWaiting) {
      throw new ModelException(
          Kind.OVERLOAD,
          "the engine is full: %d requests run in it and %d wait; try again later, or raise maxWaitingRequests"
              .formatted(inside.size(), queue.size()));
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new ModelException(Kind.BAD_REQUEST, "the model is closed; load it again");
    }
  }

  /** Counts what is kept from now on, or its new size; the others make room for it. */
  void keep(Kept what, long bytes) {
    List<Kept> victims = new ArrayList<>();
    synchronized (lock) {
      kept.remove(what);
      kept.put(what, bytes);
      Iterator<Kept> oldest = kept.keySet().iterator();
      while (reserved + keptBytes() > budget && oldest.hasNext()) {
        Kept victim = oldest.next();
        oldest.remove();
        victims.add(victim);
      }
    }
    victims.forEach(Kept::reclaim);
    look();
  }

  /** Counts something no longer. */
  void forget(Kept what) {
    synchronized (lock) {
      if (kept.remove(what) != null) {
        lock.notifyAll();
      }
    }
  }

  /** Whether the model can be asked. */
  public boolean isOpen() {
    synchronized (lock) {
      return !closed;
    }
  }

  /**
   * Lets nobody in any more.
   *
   * @return whether it was open
   * @throws ModelException if the calling thread is inside itself
   */
  public boolean close() {
    synchronized (lock) {
      if (inside.contains(Thread.currentThread())) {
        throw new ModelException(
            Kind.BAD_REQUEST,
            "the model cannot be closed from within a request to it; close it after the answer");
      }
      boolean first = !closed;
      closed = true;
      lock.notifyAll();
      return first;
    }
  }

  /** Waits until nobody is inside; an interrupt is kept for the caller. */
  public void awaitEmpty() {
    boolean interrupted = false;
    synchronized (lock) {
      while (!inside.isEmpty()) {
        try {
          lock.wait();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Frees all that is kept. */
  public void reclaimAll() {
    List<Kept> all;
    synchronized (lock) {
      all = List.copyOf(kept.keySet());
      kept.clear();
    }
    all.forEach(Kept::reclaim);
  }
}
