package dev.squint.examples.compare;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Ends a run between two questions when the process is told to end ({@code Ctrl-C}): the hook waits
 * until what is under way is written.
 */
final class Stop implements AutoCloseable {

  private static final int PATIENCE_SECONDS = 60;

  private final CountDownLatch ended = new CountDownLatch(1);
  private final Thread hook;
  private volatile boolean wanted;

  Stop(Runnable farewell) {
    this.hook =
        new Thread(
            () -> {
              wanted = true;
              try {
                if (ended.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                  farewell.run();
                }
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            },
            "squint-stop");
    Runtime.getRuntime().addShutdownHook(hook);
  }

  /** Whether the run is to end. */
  boolean wanted() {
    return wanted;
  }

  /** All is written. */
  @Override
  public void close() {
    ended.countDown();
    if (!wanted) {
      try {
        Runtime.getRuntime().removeShutdownHook(hook);
      } catch (IllegalStateException e) {
        // The process began to end just now; the hook finds the latch open.
      }
    }
  }
}
