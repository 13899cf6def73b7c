package dev.squint.engine.internal.ort;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnxruntime.OrtException;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class SessionOpenerTest {

  private final SessionOpener opener = new SessionOpener();
  private final Set<Thread> used = ConcurrentHashMap.newKeySet();

  private void open() {
    try {
      opener.open(
          () -> {
            used.add(Thread.currentThread());
            return null;
          });
    } catch (OrtException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void manyCallersOneAfterTheOtherShareAThread() throws InterruptedException {
    Set<Thread> callers = new HashSet<>();
    for (int i = 0; i < 60; i++) {
      Thread caller = new Thread(this::open);
      callers.add(caller);
      caller.start();
      caller.join();
    }
    assertThat(used).doesNotContainAnyElementsOf(callers);
    assertThat(used).singleElement().matches(Thread::isDaemon);
  }

  @Test
  void nobodyWaitsForAnother() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    Thread slow =
        new Thread(
            () -> {
              try {
                opener.open(
                    () -> {
                      begun.countDown();
                      go.await();
                      return null;
                    });
              } catch (OrtException e) {
                throw new AssertionError(e);
              }
            });
    slow.start();
    begun.await();
    open();
    go.countDown();
    slow.join();
    assertThat(used).hasSize(1);
  }

  @Test
  void anInterruptIsKept() {
    Thread.currentThread().interrupt();
    open();
    assertThat(Thread.interrupted()).isTrue();
    assertThat(used).hasSize(1);
  }

  @Test
  void whatIsThrownArrives() {
    OrtException refused = new OrtException("refused");
    assertThatThrownBy(
            () ->
                opener.open(
                    () -> {
                      throw refused;
                    }))
        .isSameAs(refused);
    assertThatThrownBy(
            () ->
                opener.open(
                    () -> {
                      throw new OutOfMemoryError("heap");
                    }))
        .isInstanceOf(OutOfMemoryError.class);
    assertThatThrownBy(
            () ->
                opener.open(
                    () -> {
                      throw new IllegalArgumentException("no");
                    }))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
