package dev.squint.engine.internal.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.error.ModelException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class RefCountedCacheTest {

  private final List<String> closed = new ArrayList<>();
  private final RefCountedCache<String, AutoCloseable> pool = new RefCountedCache<>(2);

  private RefCountedCache<String, AutoCloseable>.Lease lease(String key) {
    return pool.acquire(key, () -> () -> closed.add(key));
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
}
