package dev.squint.engine.internal.ort;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.util.Deque;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Opens sessions on threads of its own: on one, unless several are asked for at once.
 *
 * <p>Opening a session takes tens of megabytes from the C library for a moment. That keeps freed
 * memory apart for groups of threads (glibc has eight such arenas per core) and seldom gives it
 * back, so segments that are opened now by this request and now by that one would leave as much in
 * every arena: with 64 threads on two cores, 750 of 970 MB were freed memory. The threads stay,
 * since a new one might be given another arena.
 */
final class SessionOpener {

  /** As much as a program's first thread has; graphs nest. */
  private static final long STACK_BYTES = 8L << 20;

  private static final int MEANWHILE_MILLIS = 50;

  /** Each has one thread. The one that was used last is taken first. */
  private final Deque<ExecutorService> idle = new ConcurrentLinkedDeque<>();

  private static Thread thread(Runnable work) {
    // Nothing of the request that comes first is kept: no thread locals, no class loader.
    Thread thread = new Thread(null, work, "squint-opener", STACK_BYTES, false);
    thread.setContextClassLoader(null);
    thread.setDaemon(true);
    return thread;
  }

  /**
   * Opens a session. An interrupt does not end the wait, and is kept for the caller.
   *
   * @throws OrtException if ONNX Runtime refuses
   */
  OrtSession open(Callable<OrtSession> opening) throws OrtException {
    return open(opening, () -> {});
  }

  /**
   * Opens a session, and does something again and again meanwhile.
   *
   * @param meanwhile what is done, some twenty times a second
   * @throws OrtException if ONNX Runtime refuses
   */
  OrtSession open(Callable<OrtSession> opening, Runnable meanwhile) throws OrtException {
    ExecutorService free = idle.pollFirst();
    ExecutorService worker =
        free == null ? Executors.newSingleThreadExecutor(SessionOpener::thread) : free;
    boolean interrupted = false;
    try {
      Future<OrtSession> opened = worker.submit(opening);
      while (true) {
        try {
          return opened.get(MEANWHILE_MILLIS, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
          meanwhile.run();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } catch (ExecutionException e) {
      throw failure(e.getCause());
    } finally {
      idle.addFirst(worker);
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static OrtException failure(Throwable cause) {
    if (cause instanceof OrtException refused) {
      return refused;
    }
    if (cause instanceof Error error) {
      throw error;
    }
    if (cause instanceof RuntimeException failed) {
      throw failed;
    }
    throw new IllegalStateException(cause);
  }
}
