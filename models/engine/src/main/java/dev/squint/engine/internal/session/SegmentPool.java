package dev.squint.engine.internal.session;

import dev.squint.onnx.internal.decoder.DecoderGraph;
import dev.squint.onnx.internal.decoder.SegmentSpec;
import java.util.ArrayList;
import java.util.List;

/**
 * The splits of one decoder that are loaded. Splits that have a segment in common share it, and all
 * segments share the matrices of the layers that they have in common.
 */
public final class SegmentPool implements AutoCloseable {

  /** Splits kept where each takes its graph alone. */
  private static final int MANY = 64;

  /** Splits kept where each has weights of its own. */
  private static final int FEW = 4;

  private static final double NEARLY_ALL = 0.9;

  private final SessionFactory sessions;
  private final DecoderGraph decoder;
  private final TokenPicker picker;
  private final TokenJoiner joiner;
  private final int maxCached;
  private final double matrixShare;
  private final RefCountedCache<List<SegmentSpec>, SplitDecoder> splits;

  /** A segment stays loaded as long as a split that has it. */
  private final RefCountedCache<SegmentSpec, SplitDecoder.Segment> segments =
      new RefCountedCache<>(0);

  /**
   * @param maxCachedSplits how many splits stay loaded while nobody uses them; 0 for what is cheap
   */
  public SegmentPool(SessionFactory sessions, DecoderGraph decoder, int maxCachedSplits) {
    this.sessions = sessions;
    this.decoder = decoder;
    this.picker = new TokenPicker(sessions);
    this.joiner = new TokenJoiner(sessions);
    this.maxCached = maxCachedSplits;
    this.matrixShare = decoder.matrixShare();
    this.splits = new RefCountedCache<>(this::maxCached);
  }

  /** Borrows a split, opening what of it is not loaded. */
  public RefCountedCache<List<SegmentSpec>, SplitDecoder>.Lease lease(List<SegmentSpec> specs) {
    return splits.acquire(specs, () -> open(specs));
  }

  private SplitDecoder open(List<SegmentSpec> specs) {
    List<RefCountedCache<SegmentSpec, SplitDecoder.Segment>.Lease> leases = new ArrayList<>();
    try {
      for (SegmentSpec asked : specs) {
        SegmentSpec spec =
            sessions.device().isCpu() ? decoder.growing(decoder.takingParts(asked)) : asked;
        leases.add(
            segments.acquire(
                spec, () -> SplitDecoder.open(sessions, decoder, spec, picker, joiner)));
      }
      return new SplitDecoder(
          leases.stream().map(RefCountedCache.Lease::get).toList(), () -> closeAll(leases));
    } catch (RuntimeException | Error e) {
      closeAll(leases);
      throw e;
    }
  }

  private static void closeAll(
      List<RefCountedCache<SegmentSpec, SplitDecoder.Segment>.Lease> leases) {
    leases.forEach(RefCountedCache.Lease::close);
  }

  /** How many splits stay loaded while nobody uses them. */
  public int maxCached() {
    if (maxCached > 0) {
      return maxCached;
    }
    return sessions.sharesMatrices() && matrixShare >= NEARLY_ALL ? MANY : FEW;
  }

  /** How many splits are loaded. */
  public int splits() {
    return splits.size();
  }

  /** How many segments are loaded. */
  public int segments() {
    return segments.size();
  }

  @Override
  public void close() {
    try (joiner;
        picker;
        segments) {
      splits.close();
    }
  }
}
