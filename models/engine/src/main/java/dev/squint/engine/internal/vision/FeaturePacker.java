package dev.squint.engine.internal.vision;

import ai.onnxruntime.OnnxTensor;
import dev.squint.engine.internal.ort.ModelSession;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.engine.internal.session.Embedder;
import dev.squint.engine.internal.session.RefCountedCache;
import dev.squint.engine.internal.session.SessionFactory;
import dev.squint.engine.request.FeaturePacking;
import dev.squint.error.ModelException;
import dev.squint.onnx.internal.vision.PackGraph;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** Makes visual tokens of the features of tiles, in native memory. */
final class FeaturePacker implements AutoCloseable {

  private static final int GRAPHS_KEPT = 4;

  private final SessionFactory sessions;
  private final RefCountedCache<Key, ModelSession> pool = new RefCountedCache<>(GRAPHS_KEPT);

  private record Key(int type, int rank, int terms) {}

  FeaturePacker(SessionFactory sessions) {
    this.sessions = sessions;
  }

  /**
   * Packs features.
   *
   * @param run owner of the result
   * @param features those of all tiles, {@code [..., tokens, width]}
   * @return {@code [1, tokens, width]}, or {@code [tokens, width]} if features have two axes
   */
  OnnxTensor pack(TensorScope run, OnnxTensor features, FeaturePacking packing) {
    long[] shape = features.getInfo().getShape();
    long width = shape[shape.length - 1];
    long rows = features.getInfo().getNumElements() / Math.max(1, width);
    int highest = Arrays.stream(packing.sources()).max().orElse(0);
    if (highest > rows || packing.extra().length != width) {
      throw new ModelException(
          "the vision encoder gives %d features of %d numbers, but tiles are put together of %d of %d; use the files of one model"
              .formatted(rows, width, highest, packing.extra().length));
    }
    Key key = new Key(Embedder.elementType(features.getInfo()), shape.length, packing.terms());
    try (var lease = pool.acquire(key, () -> open(key))) {
      Map<String, OnnxTensor> inputs = new HashMap<>();
      inputs.put(PackGraph.FEATURES, features);
      inputs.put(PackGraph.EXTRA, run.floats(FloatBuffer.wrap(packing.extra()), 1, width));
      inputs.put(
          PackGraph.SOURCES, run.indices(packing.sources(), packing.terms(), packing.tokens()));
      if (packing.terms() > 1) {
        inputs.put(
            PackGraph.WEIGHTS,
            run.floats(FloatBuffer.wrap(packing.weights()), packing.terms(), packing.tokens()));
      }
      return lease.get().run(run, inputs, Set.of(PackGraph.PACKED)).get(PackGraph.PACKED);
    }
  }

  private ModelSession open(Key key) {
    return sessions.open(
        PackGraph.build(key.type(), key.rank(), key.terms()),
        Path.of(""),
        "the putting together of tiles");
  }

  @Override
  public void close() {
    pool.close();
  }
}
