package dev.squint.engine.internal.vision;

import ai.onnxruntime.OnnxTensor;
import dev.squint.engine.internal.ort.ModelSession;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.engine.internal.session.Embedder;
import dev.squint.engine.internal.session.RefCountedCache;
import dev.squint.engine.internal.session.SessionFactory;
import dev.squint.onnx.internal.vision.JoinGraph;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Puts the features of several images one after the other, in native memory. */
final class FeatureJoiner implements AutoCloseable {

  private static final int GRAPHS_KEPT = 4;

  private final SessionFactory sessions;
  private final RefCountedCache<Key, ModelSession> pool = new RefCountedCache<>(GRAPHS_KEPT);

  private record Key(int type, int rank, int count) {}

  FeatureJoiner(SessionFactory sessions) {
    this.sessions = sessions;
  }

  /**
   * Joins features.
   *
   * @param scope owner of the result
   * @param images features {@code [..., tokens, width]} of each image, of one width
   * @return {@code [1, tokens of all, width]}, or {@code [tokens of all, width]} if they have two
   *     axes
   */
  OnnxTensor join(TensorScope scope, List<OnnxTensor> images) {
    OnnxTensor first = images.get(0);
    Key key =
        new Key(
            Embedder.elementType(first.getInfo()),
            first.getInfo().getShape().length,
            images.size());
    try (TensorScope run = scope.newScope();
        var lease = pool.acquire(key, () -> open(key))) {
      Map<String, OnnxTensor> inputs = new HashMap<>();
      for (int i = 0; i < images.size(); i++) {
        inputs.put(JoinGraph.part(i), images.get(i));
      }
      OnnxTensor joined =
          lease.get().run(run, inputs, Set.of(JoinGraph.JOINED)).get(JoinGraph.JOINED);
      return scope.transferFrom(run, joined);
    }
  }

  private ModelSession open(Key key) {
    return sessions.open(
        JoinGraph.build(key.type(), key.rank(), key.count()), Path.of(""), "the joining of images");
  }

  @Override
  public void close() {
    pool.close();
  }
}
