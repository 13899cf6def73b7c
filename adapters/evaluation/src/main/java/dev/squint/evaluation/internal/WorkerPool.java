package dev.squint.evaluation.internal;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * Work done by several threads at once.
 *
 * @param threads how many
 */
public record WorkerPool(int threads) {

  /**
   * Does all of it.
   *
   * @param work pieces of work, begun in this order
   * @return what each made
   * @throws RuntimeException what the first piece that failed threw; no other is begun after that
   */
  public <T> List<T> all(List<Callable<T>> work) {
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    List<Future<T>> running = work.stream().map(pool::submit).toList();
    try {
      List<T> done = new ArrayList<>();
      for (Future<T> piece : running) {
        done.add(piece.get());
      }
      return done;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      throw new IllegalStateException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while questions were under way", e);
    } finally {
      // Not interrupted: that would close the files that a piece of work writes.
      running.forEach(piece -> piece.cancel(false));
      end(pool);
    }
  }

  private static void end(ExecutorService pool) {
    pool.shutdown();
    try {
      pool.awaitTermination(Long.MAX_VALUE, TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
