package dev.squint.engine.internal.session;

import ai.onnxruntime.OnnxTensor;
import dev.squint.engine.internal.ort.ModelSession;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.onnx.internal.graph.JoinGraph;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Puts tokens one after the other that were computed apart, such as those of several images, in
 * native memory. Safe for many threads.
 */
public final class TokenJoiner implements AutoCloseable {

  private static final int GRAPHS_KEPT = 4;

  private final SessionFactory sessions;
  private final RefCountedCache<Key, ModelSession> pool = new RefCountedCache<>(GRAPHS_KEPT);

  private record Key(int type, int rank, int count) {}

  public TokenJoiner(SessionFactory sessions) {
    this.sessions = sessions;
  }

  /**
   * Joins tokens.
   *
   * @param scope owner of the result
   * @param parts vectors {@code [..., tokens, width]}, all of one width
   * @return {@code [1, tokens of all, width]}, or {@code [tokens of all, width]} if they have two
   *     axes
   */
  public OnnxTensor join(TensorScope scope, List<OnnxTensor> parts) {
    OnnxTensor first = parts.get(0);
    Key key =
        new Key(
            Embedder.elementType(first.getInfo()), first.getInfo().getShape().length, parts.size());
    try (TensorScope run = scope.newScope();
        var lease = pool.acquire(key, () -> open(key))) {
      Map<String, OnnxTensor> inputs = new HashMap<>();
      for (int i = 0; i < parts.size(); i++) {
        inputs.put(JoinGraph.part(i), parts.get(i));
      }
      OnnxTensor joined =
          lease.get().run(run, inputs, Set.of(JoinGraph.JOINED)).get(JoinGraph.JOINED);
      return scope.transferFrom(run, joined);
    }
  }

  private ModelSession open(Key key) {
    return sessions.open(
        JoinGraph.build(key.type(), key.rank(), key.count()), Path.of(""), "the joining of tokens");
  }

  @Override
  public void close() {
    pool.close();
  }
}
