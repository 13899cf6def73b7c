package dev.squint.engine.internal.session;

import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.IntSupplier;
import java.util.function.Supplier;

/**
 * Opened things kept for the next caller, at most so many that nobody uses. A thing is closed when
 * it has been pushed out (or the pool was closed) and its last lease has ended, so nothing is
 * closed under a running caller.
 *
 * <p>Nothing is opened or closed under the lock: whoever wants what is open never waits for one who
 * opens something else. Those who want the same wait for one opening, and if it fails, all of them
 * are told and the next one tries again.
 */
public final class RefCountedCache<K, V extends AutoCloseable> implements AutoCloseable {

  private final IntSupplier capacity;
  private final Map<K, Entry> entries = new LinkedHashMap<>(16, 0.75f, true);
  private boolean closed;

  public RefCountedCache(int capacity) {
    this(() -> capacity);
  }

  /**
   * @param capacity how many that nobody uses are kept; asked again and again
   */
  public RefCountedCache(IntSupplier capacity) {
    this.capacity = capacity;
  }

  /** Borrows the thing with this key, opening it if needed. */
  public Lease acquire(K key, Supplier<V> open) {
    Entry entry;
    boolean first;
    synchronized (this) {
      if (closed) {
        throw new ModelException(Kind.BAD_REQUEST, "the model is closed; load it again");
      }
      entry = entries.get(key);
      first = entry == null;
      if (first) {
        entry = new Entry();
        entries.put(key, entry);
      }
      entry.leases++;
    }
    if (first) {
      open(key, entry, open);
      closeAll(surplus());
    }
    return new Lease(entry, opened(entry));
  }

  private void open(K key, Entry entry, Supplier<V> open) {
    try {
      entry.value.complete(open.get());
    } catch (RuntimeException | Error e) {
      synchronized (this) {
        entries.remove(key, entry);
      }
      entry.value.completeExceptionally(e);
    }
  }

  private V opened(Entry entry) {
    try {
      return entry.value.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      throw (RuntimeException) e.getCause();
    }
  }

  /** Takes out the least recently used of those that nobody uses, as long as there are too many. */
  private synchronized List<Entry> surplus() {
    int most = capacity.getAsInt();
    List<Entry> surplus = new ArrayList<>();
    Iterator<Entry> oldestFirst = entries.values().iterator();
    while (entries.size() > most && oldestFirst.hasNext()) {
      Entry entry = oldestFirst.next();
      if (entry.leases == 0) {
        oldestFirst.remove();
        surplus.add(entry);
      }
    }
    return surplus;
  }

  private void release(Entry entry) {
    boolean last;
    synchronized (this) {
      entry.leases--;
      last = closed && entry.leases == 0;
    }
    closeAll(last ? List.of(entry) : surplus());
  }

  public synchronized int size() {
    return entries.size();
  }

  @Override
  public void close() {
    List<Entry> idle = new ArrayList<>();
    synchronized (this) {
      closed = true;
      entries.values().stream().filter(entry -> entry.leases == 0).forEach(idle::add);
      entries.clear();
    }
    closeAll(idle);
  }

  private void closeAll(List<Entry> opened) {
    RuntimeException failure = null;
    for (Entry entry : opened) {
      try {
        entry.value.join().close();
      } catch (Exception e) {
        RuntimeException unchecked =
            e instanceof RuntimeException known
                ? known
                : new ModelException(
                    Kind.INTERNAL, "a session could not be closed: " + e.getMessage(), e);
        if (failure == null) {
          failure = unchecked;
        } else {
          failure.addSuppressed(unchecked);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  /** The right to use a thing until closed. */
  public final class Lease implements AutoCloseable {
    private final Entry entry;
    private final V value;
    private boolean returned;

    private Lease(Entry entry, V value) {
      this.entry = entry;
      this.value = value;
    }

    public V get() {
      return value;
    }

    /** A further lease on the same thing. */
    public Lease another() {
      synchronized (RefCountedCache.this) {
        entry.leases++;
        return new Lease(entry, value);
      }
    }

    @Override
    public void close() {
      if (!returned) {
        returned = true;
        release(entry);
      }
    }
  }

  private final class Entry {
    private final CompletableFuture<V> value = new CompletableFuture<>();
    private int leases;
  }
}
