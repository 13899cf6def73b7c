package dev.squint.engine.internal.session;

import ai.onnxruntime.OnnxTensor;
import dev.squint.engine.internal.ort.ModelSession;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.onnx.internal.decoder.PickGraph;
import dev.squint.onnx.internal.decoder.RoomGraph;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Picks tokens out of stored keys and values, in native memory. Safe for many threads. */
public final class TokenPicker implements AutoCloseable {

  /** All there are: types times sources. */
  private static final int SESSIONS_KEPT = 16;

  private final SessionFactory sessions;
  private final RefCountedCache<Kind, ModelSession> byKind = new RefCountedCache<>(SESSIONS_KEPT);

  /**
   * A graph.
   *
   * @param source where it picks from; nowhere to make room
   */
  private record Kind(int type, Optional<PickGraph.Source> source) {

    byte[] graph() {
      return source.map(from -> PickGraph.build(type, from)).orElseGet(() -> RoomGraph.build(type));
    }
  }

  TokenPicker(SessionFactory sessions) {
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
  public OnnxTensor pick(TensorScope owner, OnnxTensor stored, int[] tokens) {
    return pick(owner, PickGraph.Source.ONE, Map.of(PickGraph.STORED, stored), tokens);
  }

  /**
   * Picks tokens out of two stores.
   *
   * @param owner of the result
   * @param stored {@code [1, heads, tokens, width]}
   * @param other likewise
   * @param tokens which of them; those of the second count on after those of the first
   * @return {@code [1, heads, picked, width]}
   */
  public OnnxTensor join(TensorScope owner, OnnxTensor stored, OnnxTensor other, int[] tokens) {
    return pick(
        owner,
        PickGraph.Source.TWO,
        Map.of(PickGraph.STORED, stored, PickGraph.OTHER, other),
        tokens);
  }

  /**
   * Picks rows of heads.
   *
   * @param owner of the result
   * @param stored {@code [1, heads, tokens, width]}
   * @param rows which of them, token t of head h being {@code h * tokens + t}
   * @return {@code [picked, width]}
   */
  public OnnxTensor perHead(TensorScope owner, OnnxTensor stored, int[] rows) {
    return pick(owner, PickGraph.Source.HEADS, Map.of(PickGraph.STORED, stored), rows);
  }

  /**
   * Makes room.
   *
   * @param owner of the result
   * @param like has the type of what is to be stored
   * @param shape the room's
   * @return zeros
   */
  public OnnxTensor room(TensorScope owner, OnnxTensor like, long... shape) {
    Kind kind = new Kind(Embedder.elementType(like.getInfo()), Optional.empty());
    try (TensorScope run = owner.newScope();
        var lease = byKind.acquire(kind, () -> open(kind))) {
      OnnxTensor sizes = run.longs(shape, shape.length);
      OnnxTensor room =
          lease
              .get()
              .run(run, Map.of(RoomGraph.SIZES, sizes), Set.of(RoomGraph.ROOM))
              .get(RoomGraph.ROOM);
      return owner.transferFrom(run, room);
    }
  }

  private OnnxTensor pick(
      TensorScope owner, PickGraph.Source source, Map<String, OnnxTensor> stores, int[] tokens) {
    int type = Embedder.elementType(stores.get(PickGraph.STORED).getInfo());
    Kind kind = new Kind(type, Optional.of(source));
    try (TensorScope run = owner.newScope();
        var lease = byKind.acquire(kind, () -> open(kind))) {
      Map<String, OnnxTensor> inputs = new HashMap<>(stores);
      inputs.put(PickGraph.ROWS, run.indices(tokens, tokens.length));
      OnnxTensor picked =
          lease.get().run(run, inputs, Set.of(PickGraph.PICKED)).get(PickGraph.PICKED);
      return owner.transferFrom(run, picked);
    }
  }

  private ModelSession open(Kind kind) {
    return sessions.open(kind.graph(), Path.of(""), "the picking of cached tokens");
  }

  @Override
  public void close() {
    byKind.close();
  }
}
