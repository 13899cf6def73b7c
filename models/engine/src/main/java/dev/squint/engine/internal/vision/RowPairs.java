package dev.squint.engine.internal.vision;

import ai.onnxruntime.OnnxTensor;
import dev.squint.engine.internal.ort.ModelSession;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.engine.internal.session.RefCountedCache;
import dev.squint.engine.internal.session.SessionFactory;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import dev.squint.onnx.internal.graph.GraphNodes;
import dev.squint.onnx.internal.observe.SideGraph;
import dev.squint.pruning.observe.Binary;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Leaf;
import dev.squint.pruning.observe.Place;
import dev.squint.pruning.observe.Stage;
import dev.squint.pruning.observe.Unary;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/** Compares rows of visual tokens with each other, in native memory. */
final class RowPairs implements AutoCloseable {

  private static final int GRAPHS_KEPT = 4;
  private static final int RANK = 3;
  private static final Expression ROWS = Place.features(Stage.PROJECTED);

  private final SessionFactory sessions;
  private final RefCountedCache<Key, ModelSession> pool = new RefCountedCache<>(GRAPHS_KEPT);

  private record Key(boolean cosine, long width) {}

  /**
   * A comparison taken apart.
   *
   * @param rows what is compared, {@code [tokens, width]}
   * @param cosine whether by cosine, else by dot product
   */
  record Comparison(Expression rows, boolean cosine) {}

  RowPairs(SessionFactory sessions) {
    this.sessions = sessions;
  }

  /**
   * Takes a comparison of visual tokens apart.
   *
   * @param need an observation that pairs them
   * @throws ModelException if it is more than the cosines or dot products of rows
   */
  static Comparison comparison(Expression need) {
    if (need.unnamed() instanceof Binary product
        && product.function() == Binary.Function.MATMUL
        && product.second() instanceof Unary transposed
        && transposed.function() == Unary.Function.TRANSPOSE
        && transposed.of().equals(product.first())) {
      boolean cosine =
          product.first() instanceof Unary unit && unit.function() == Unary.Function.NORMALISE;
      Expression rows = cosine ? ((Unary) product.first()).of() : product.first();
      if (!rows.pairsVisual() && rows.axes().size() == 2) {
        return new Comparison(rows, cosine);
      }
    }
    throw new ModelException(
        Kind.REFUSED_STRATEGY,
        "the visual tokens of the image are put together of several tiles, so that only their cosines and dot products can be observed in the vision tower, not %s; choose a strategy that looks at projected features or text"
            .formatted(need));
  }

  /**
   * Compares.
   *
   * @param run owner of what is made on the way
   * @param rows float32 {@code [1, tokens, width]}
   * @return {@code [tokens, tokens]}
   */
  float[] of(TensorScope run, OnnxTensor rows, boolean cosine) {
    long[] shape = rows.getInfo().getShape();
    Key key = new Key(cosine, shape[RANK - 1]);
    int[] all = IntStream.range(0, Math.toIntExact(shape[1])).toArray();
    Leaf leaf = (Leaf) ROWS;
    try (var lease = pool.acquire(key, () -> open(key))) {
      Map<String, OnnxTensor> inputs =
          Map.of(SideGraph.tensor(leaf), rows, SideGraph.rows(leaf), run.indices(all, all.length));
      return TensorScope.valuesOf(
          lease.get().run(run, inputs, Set.of(SideGraph.RESULT)).get(SideGraph.RESULT));
    }
  }

  private ModelSession open(Key key) {
    Expression expression = key.cosine() ? ROWS.cosine(ROWS) : ROWS.dot(ROWS);
    byte[] graph =
        SideGraph.build(
            expression,
            Map.of((Leaf) ROWS, new SideGraph.Operand(GraphNodes.FLOAT, RANK)),
            key.width());
    return sessions.open(graph, Path.of(""), "the comparison of visual tokens");
  }

  @Override
  public void close() {
    pool.close();
  }
}
