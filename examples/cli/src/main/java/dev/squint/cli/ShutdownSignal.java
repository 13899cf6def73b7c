package dev.squint.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Tells that the process is to end ({@code Ctrl-C}). Its hook waits until what is under way is
 * written.
 */
final class ShutdownSignal implements AutoCloseable {

  private static final int PATIENCE_SECONDS = 60;

  private final CountDownLatch ended = new CountDownLatch(1);
  private final Thread hook;
  private volatile boolean raised;

  ShutdownSignal(Runnable farewell) {
    this.hook =
        new Thread(
            () -> {
              raised = true;
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

  /** Whether the process is to end. */
  boolean isRaised() {
    return raised;
  }

  /** All is written. */
  @Override
  public void close() {
    ended.countDown();
    if (!raised) {
      try {
        Runtime.getRuntime().removeShutdownHook(hook);
      } catch (IllegalStateException e) {
        // The process began to end just now; the hook finds the latch open.
      }
    }
  }
}
