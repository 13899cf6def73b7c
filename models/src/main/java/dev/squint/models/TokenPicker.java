package dev.squint.models;

import ai.onnxruntime.OnnxTensor;
import dev.squint.models.graph.PickGraph;
import dev.squint.models.runtime.ModelSession;
import dev.squint.models.runtime.TensorScope;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** Picks tokens out of stored keys and values, in native memory. Safe for many threads. */
final class TokenPicker implements AutoCloseable {

  private final Sessions sessions;
  private final Map<Integer, ModelSession> byType = new HashMap<>();

  TokenPicker(Sessions sessions) {
    this.sessions = sessions;
  }

  /**
   * Picks tokens.
   *
   * @param owner of the result
   * @param stored {@code [1, heads, tokens, width]}
   * @param tokens which of them
   * @return {@code [1, heads, picked, width]}
   */
  OnnxTensor pick(TensorScope owner, OnnxTensor stored, int[] tokens) {
    try (TensorScope run = owner.sibling()) {
      Map<String, OnnxTensor> inputs =
          Map.of(PickGraph.STORED, stored, PickGraph.ROWS, run.indices(tokens, tokens.length));
      ModelSession session = session(Embedder.elementType(stored.getInfo()));
      OnnxTensor picked = session.run(run, inputs, Set.of(PickGraph.PICKED)).get(PickGraph.PICKED);
      return owner.adopt(run, picked);
    }
  }

  private synchronized ModelSession session(int type) {
    return byType.computeIfAbsent(
        type, t -> sessions.open(PickGraph.build(t), Path.of(""), "the picking of cached tokens"));
  }

  @Override
  public synchronized void close() {
    byType.values().forEach(ModelSession::close);
    byType.clear();
  }
}
