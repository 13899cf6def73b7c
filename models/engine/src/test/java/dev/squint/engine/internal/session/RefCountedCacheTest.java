package dev.squint.engine.internal.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.error.ModelException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class RefCountedCacheTest {

  private final List<String> closed = Collections.synchronizedList(new ArrayList<>());
  private final RefCountedCache<String, AutoCloseable> pool = new RefCountedCache<>(2);
  private final ExecutorService callers = Executors.newCachedThreadPool();
  private final CountDownLatch begun = new CountDownLatch(1);
  private final CountDownLatch go = new CountDownLatch(1);

  private RefCountedCache<String, AutoCloseable>.Lease lease(String key) {
    return pool.acquire(key, () -> () -> closed.add(key));
  }

  /** Asks for a key whose opening takes until it is told to go on. */
  private Future<RefCountedCache<String, AutoCloseable>.Lease> slowly(
      String key, RuntimeException failure) throws InterruptedException {
    Future<RefCountedCache<String, AutoCloseable>.Lease> asked =
        callers.submit(
            () ->
                pool.acquire(
                    key,
                    () -> {
                      begun.countDown();
                      await(go);
                      if (failure != null) {
                        throw failure;
                      }
                      return () -> closed.add(key);
                    }));
    begun.await();
    return asked;
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @AfterEach
  void end() {
    go.countDown();
    callers.shutdownNow();
  }

  @Test
  void theLeastRecentlyUsedIsClosedFirst() {
    lease("a").close();
    lease("b").close();
    lease("a").close();
    lease("c").close();
    assertThat(closed).containsExactly("b");
    assertThat(pool.size()).isEqualTo(2);
  }

  @Test
  void nothingIsClosedWhileLeased() {
    var a = lease("a");
    var b = lease("b");
    var c = lease("c");
    assertThat(closed).isEmpty();
    b.close();
    assertThat(closed).containsExactly("b");
    pool.close();
    assertThat(closed).containsExactly("b");
    a.close();
    a.close();
    c.close();
    assertThat(closed).containsExactly("b", "a", "c");
  }

  @Test
  void aClosedPoolLendsNothing() {
    lease("a").close();
    pool.close();
    assertThat(closed).containsExactly("a");
    assertThatThrownBy(() -> lease("a"))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("closed");
  }

  @Test
  void whileOneOpensTheOthersAreLentAndGivenBack() throws Exception {
    lease("a").close();
    var slow = slowly("slow", null);
    for (int i = 0; i < 100; i++) {
      lease("a").close();
    }
    lease("b").close();
    assertThat(slow.isDone()).isFalse();
    assertThat(closed).as("what is being opened is not idle").containsExactly("a");
    go.countDown();
    slow.get().close();
    assertThat(pool.size()).isEqualTo(2);
  }

  @Test
  void whoeverWantsTheSameWaitsForOneOpening() throws Exception {
    var first = slowly("same", null);
    AtomicInteger again = new AtomicInteger();
    List<Future<RefCountedCache<String, AutoCloseable>.Lease>> others = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      others.add(
          callers.submit(
              () ->
                  pool.acquire(
                      "same",
                      () -> {
                        again.incrementAndGet();
                        return () -> closed.add("again");
                      })));
    }
    go.countDown();
    AutoCloseable value = first.get().get();
    for (var other : others) {
      assertThat(other.get().get()).isSameAs(value);
      other.get().close();
    }
    assertThat(again).hasValue(0);
    pool.close();
    assertThat(closed).isEmpty();
    first.get().close();
    assertThat(closed).containsExactly("same");
  }

  @Test
  void aFailedOpeningIsToldToAllWhoWaitAndNotKept() throws Exception {
    RuntimeException failure = new ModelException("refused");
    var first = slowly("bad", failure);
    var second = callers.submit(() -> lease("bad"));
    while (pool.size() == 0 || !waits(second)) {
      Thread.onSpinWait();
    }
    go.countDown();
    assertThatThrownBy(first::get).hasCause(failure);
    assertThatThrownBy(second::get).hasCause(failure);
    assertThat(pool.size()).isZero();
    lease("bad").close();
    assertThat(closed).isEmpty();
    assertThat(pool.size()).isEqualTo(1);
  }

  /** Whether a caller had the time to come as far as the wait. */
  private static boolean waits(Future<?> caller) throws InterruptedException {
    Thread.sleep(50);
    return !caller.isDone();
  }

  @Test
  void whatIsOpenedWhileThePoolClosesIsClosedByItsLease() throws Exception {
    var slow = slowly("slow", null);
    pool.close();
    go.countDown();
    var lease = slow.get();
    assertThat(closed).isEmpty();
    lease.close();
    assertThat(closed).containsExactly("slow");
  }

  @Test
  void allAreClosedThoughOneFailsTo() {
    pool.acquire(
            "bad",
            () ->
                () -> {
                  throw new IllegalStateException("stuck");
                })
        .close();
    lease("good").close();
    assertThatThrownBy(pool::close).hasMessage("stuck");
    assertThat(closed).containsExactly("good");
  }

  /** Of what is lent nothing is closed; in the end all that was opened is, once. */
  @Test
  void holdsUnderManyThreads() throws Exception {
    AtomicInteger opened = new AtomicInteger();
    AtomicInteger left = new AtomicInteger();
    AtomicInteger wrong = new AtomicInteger();
    RefCountedCache<Integer, Resource> shared = new RefCountedCache<>(3);
    List<Future<?>> all = new ArrayList<>();
    for (int caller = 0; caller < 32; caller++) {
      Random random = new Random(caller);
      all.add(
          callers.submit(
              () -> {
                for (int i = 0; i < 2_000; i++) {
                  int key = random.nextInt(8);
                  boolean fails = random.nextInt(20) == 0;
                  try (var lease =
                      shared.acquire(key, () -> new Resource(key, fails, opened, left))) {
                    Thread.yield();
                    wrong.addAndGet(lease.get().isOpen() && lease.get().key == key ? 0 : 1);
                  } catch (ModelException e) {
                    Thread.yield();
                  }
                }
                return null;
              }));
    }
    for (Future<?> one : all) {
      one.get(60, TimeUnit.SECONDS);
    }
    assertThat(wrong).hasValue(0);
    assertThat(shared.size()).isLessThanOrEqualTo(3);
    shared.close();
    assertThat(opened.get()).isGreaterThan(8);
    assertThat(left).hasValue(0);
  }

  private static final class Resource implements AutoCloseable {
    private final int key;
    private final AtomicInteger left;
    private final AtomicInteger closings = new AtomicInteger();

    Resource(int key, boolean fails, AtomicInteger opened, AtomicInteger left) {
      if (fails) {
        throw new ModelException("refused");
      }
      this.key = key;
      this.left = left;
      opened.incrementAndGet();
      left.incrementAndGet();
    }

    boolean isOpen() {
      return closings.get() == 0;
    }

    @Override
    public void close() {
      left.addAndGet(closings.getAndIncrement() == 0 ? -1 : 1_000_000);
    }
  }
}
