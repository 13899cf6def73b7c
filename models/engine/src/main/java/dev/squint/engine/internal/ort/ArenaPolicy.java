package dev.squint.engine.internal.ort;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession.SessionOptions;
import dev.squint.onnx.internal.decoder.SegmentSpec;

/**
 * Where a session on the processor keeps what it computes, in a process where {@link SharedArena}
 * could not be registered.
 */
public enum ArenaPolicy {
  /** In an arena of its own, which stays as large as the longest prompt has made it. */
  OWN,
  /**
   * On the heap of the process. Segments run one after the other, so what one gives back the next
   * one takes; with an arena each, a decoder in 30 segments held five times the memory of the
   * whole.
   */
  SHARED;

  /**
   * What suits a segment: an arena for the layers that see the whole prompt, if they are several
   * and so use it again and again; none for a single layer and for those after a split.
   */
  public static ArenaPolicy of(SegmentSpec segment) {
    return segment.from() == 0 && segment.to() > 1 ? OWN : SHARED;
  }

  void configure(SessionOptions options) throws OrtException {
    if (this == SHARED) {
      options.setCPUArenaAllocator(false);
      options.setMemoryPatternOptimization(false);
    }
  }
}
