package dev.squint.engine.internal.vision;

import dev.squint.engine.internal.ort.RunControl;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.engine.request.PixelValues;
import dev.squint.engine.request.PreparedImages;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import dev.squint.pruning.observe.Expression;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Images with their encodings. */
public final class EncodedImages implements PreparedImages {

  private final VisionEncoder encoder;
  private final PixelValues pixels;
  private final TensorScope scope;
  private final Map<Wanted, Encoding> encodings = new ConcurrentHashMap<>();
  private final Object leases = new Object();
  private int leased;
  private boolean closed;

  private record Wanted(List<Expression> taps, boolean projected) {}

  /** What one tower sees; whoever wants it first has it done, and the others wait. */
  private final class Encoding {

    private final TensorScope owner = scope.newScope();
    private VisionEncoder.Encoded known;

    synchronized VisionEncoder.Encoded get(Wanted wanted, RunControl control) {
      control.check();
      if (known == null) {
        known =
            encoder.encode(
                owner, scope.newScope(control), pixels, wanted.taps(), wanted.projected());
      }
      return known;
    }

    synchronized void close() {
      owner.close();
    }
  }

  public EncodedImages(VisionEncoder encoder, PixelValues pixels, TensorScope scope) {
    this.encoder = encoder;
    this.pixels = pixels;
    this.scope = scope;
  }

  /** Keeps the features until the lease ends, which any thread may do. */
  public Lease lease() {
    synchronized (leases) {
      if (closed) {
        throw new ModelException(Kind.BAD_REQUEST, "the image is closed; encode it again");
      }
      leased++;
      return new Lease();
    }
  }

  /** The right to use the features. */
  public final class Lease implements AutoCloseable {

    private boolean ended;

    private Lease() {}

    public PixelValues pixels() {
      return pixels;
    }

    /**
     * The images as the tower sees them, encoded now if no other request has had it done.
     *
     * @param control ends the encoding, if this request does it
     */
    public VisionEncoder.Encoded encoded(
        List<Expression> taps, boolean projected, RunControl control) {
      Wanted wanted = new Wanted(taps, projected);
      return encodings.computeIfAbsent(wanted, key -> new Encoding()).get(wanted, control);
    }

    @Override
    public void close() {
      synchronized (leases) {
        if (!ended) {
          ended = true;
          leased--;
          freeIfUnused();
        }
      }
    }
  }

  private void freeIfUnused() {
    if (closed && leased == 0) {
      encodings.values().forEach(Encoding::close);
      encodings.clear();
    }
  }

  @Override
  public void close() {
    synchronized (leases) {
      closed = true;
      freeIfUnused();
    }
  }
}
