package dev.squint.engine.internal.session;

import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Opened things kept for the next caller, at most so many that nobody uses. A thing is closed when
 * it has been pushed out (or the pool was closed) and its last lease has ended, so nothing is
 * closed under a running caller.
 */
public final class RefCountedCache<K, V extends AutoCloseable> implements AutoCloseable {

  private final int capacity;
  private final Map<K, Entry> entries = new LinkedHashMap<>(16, 0.75f, true);
  private boolean closed;

  public RefCountedCache(int capacity) {
    this.capacity = capacity;
  }

  /** Borrows the thing with this key, opening it if needed. */
  public synchronized Lease acquire(K key, Supplier<V> open) {
    if (closed) {
      throw new ModelException(Kind.BAD_REQUEST, "the model is closed; load it again");
    }
    Entry entry = entries.get(key);
    if (entry == null) {
      entry = new Entry(open.get());
      entries.put(key, entry);
    }
    entry.leases++;
    shrink();
    return new Lease(entry);
  }

  private void shrink() {
    Iterator<Entry> oldestFirst = entries.values().iterator();
    while (entries.size() > capacity && oldestFirst.hasNext()) {
      Entry entry = oldestFirst.next();
      if (entry.leases == 0) {
        oldestFirst.remove();
        entry.close();
      }
    }
  }

  private synchronized void release(Entry entry) {
    entry.leases--;
    if (closed && entry.leases == 0) {
      entry.close();
    } else {
      shrink();
    }
  }

  public synchronized int size() {
    return entries.size();
  }

  @Override
  public synchronized void close() {
    closed = true;
    for (Entry entry : entries.values()) {
      if (entry.leases == 0) {
        entry.close();
      }
    }
    entries.clear();
  }

  /** The right to use a thing until closed. */
  public final class Lease implements AutoCloseable {
    private final Entry entry;
    private boolean returned;

    private Lease(Entry entry) {
      this.entry = entry;
    }

    public V get() {
      return entry.value;
    }

    /** A further lease on the same thing. */
    public Lease another() {
      synchronized (RefCountedCache.this) {
        entry.leases++;
        return new Lease(entry);
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
    private final V value;
    private int leases;

    private Entry(V value) {
      this.value = value;
    }

    private void close() {
      try {
        value.close();
      } catch (RuntimeException e) {
        throw e;
      } catch (Exception e) {
        throw new ModelException(
            Kind.INTERNAL, "a session could not be closed: " + e.getMessage(), e);
      }
    }
  }
}
