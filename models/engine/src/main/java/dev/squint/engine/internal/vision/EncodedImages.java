package dev.squint.engine.internal.vision;

import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.engine.request.PixelValues;
import dev.squint.engine.request.PreparedImages;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import dev.squint.pruning.observe.Expression;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/** Images with their encodings. */
public final class EncodedImages implements PreparedImages {

  private final VisionEncoder encoder;
  private final PixelValues pixels;
  private final TensorScope scope;
  private final Map<Wanted, VisionEncoder.Encoded> encoded = new HashMap<>();
  private final ReadWriteLock lock = new ReentrantReadWriteLock();
  private boolean closed;

  private record Wanted(List<Expression> taps, boolean projected) {}

  public EncodedImages(VisionEncoder encoder, PixelValues pixels, TensorScope scope) {
    this.encoder = encoder;
    this.pixels = pixels;
    this.scope = scope;
  }

  /** Keeps the features until the lease ends. */
  public Lease lease() {
    lock.readLock().lock();
    if (closed) {
      lock.readLock().unlock();
      throw new ModelException(Kind.BAD_REQUEST, "the image is closed; encode it again");
    }
    return new Lease();
  }

  /** The right to use the features. */
  public final class Lease implements AutoCloseable {

    private Lease() {}

    public PixelValues pixels() {
      return pixels;
    }

    public VisionEncoder.Encoded encoded(List<Expression> taps, boolean projected) {
      synchronized (encoded) {
        return encoded.computeIfAbsent(
            new Wanted(taps, projected),
            wanted -> encoder.encode(scope, pixels, wanted.taps(), wanted.projected()));
      }
    }

    @Override
    public void close() {
      lock.readLock().unlock();
    }
  }

  @Override
  public void close() {
    lock.writeLock().lock();
    try {
      closed = true;
      encoded.clear();
      scope.close();
    } finally {
      lock.writeLock().unlock();
    }
  }
}
