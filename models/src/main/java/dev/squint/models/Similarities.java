package dev.squint.models;

import ai.onnxruntime.OnnxTensor;
import dev.squint.models.graph.SimilarityGraph;
import dev.squint.models.graph.SimilarityGraph.Operand;
import dev.squint.models.runtime.ModelSession;
import dev.squint.models.runtime.TensorScope;
import dev.squint.pruning.Observation;
import dev.squint.pruning.ObservationRequest.Measure;
import dev.squint.pruning.Scope;
import dev.squint.pruning.SiteContext;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/** Compares tokens by their features or embeddings, beside the network. */
final class Similarities implements AutoCloseable {

  private static final int GRAPHS_KEPT = 4;

  private final Sessions sessions;
  private final long width;
  private final LeasePool<Key, ModelSession> pool = new LeasePool<>(GRAPHS_KEPT);

  private record Key(Operand first, Operand second, Measure measure) {}

  Similarities(Sessions sessions, long width) {
    this.sessions = sessions;
    this.width = width;
  }

  /**
   * Cosines of the visual tokens of each tile.
   *
   * @param features of the tokens alive, {@code [..., hidden]}
   * @return one row per token, one column per token of its tile
   */
  Observation withinTiles(TensorScope scope, OnnxTensor features, SiteContext context) {
    List<Scope.Group> tiles = Scope.TILE.groups(context);
    int tokens = context.visualTokens();
    int columns = tiles.stream().mapToInt(Scope.Group::size).max().orElse(0);
    float[] values = new float[tokens * columns];
    for (Scope.Group tile : tiles) {
      int[] rows = IntStream.range(tile.from(), tile.to()).toArray();
      try (TensorScope run = scope.sibling()) {
        FloatBuffer cosines = compare(run, features, rows, features, rows, Measure.COSINE);
        for (int token : rows) {
          cosines.get(values, token * columns, tile.size());
        }
      }
    }
    return new Observation(tokens, columns, values);
  }

  /** Compares some rows of one tensor with some of another. */
  Observation between(
      TensorScope scope,
      OnnxTensor first,
      int[] firstRows,
      OnnxTensor second,
      int[] secondRows,
      Measure measure) {
    float[] values = new float[firstRows.length * secondRows.length];
    if (values.length > 0) {
      try (TensorScope run = scope.sibling()) {
        compare(run, first, firstRows, second, secondRows, measure).get(values);
      }
    }
    return new Observation(firstRows.length, secondRows.length, values);
  }

  private FloatBuffer compare(
      TensorScope run,
      OnnxTensor first,
      int[] firstRows,
      OnnxTensor second,
      int[] secondRows,
      Measure measure) {
    Key key = new Key(operand(first), operand(second), measure);
    try (var lease = pool.acquire(key, () -> open(key))) {
      Map<String, OnnxTensor> inputs =
          Map.of(
              SimilarityGraph.FIRST,
              first,
              SimilarityGraph.FIRST_ROWS,
              run.indices(firstRows, firstRows.length),
              SimilarityGraph.SECOND,
              second,
              SimilarityGraph.SECOND_ROWS,
              run.indices(secondRows, secondRows.length));
      Set<String> wanted = Set.of(SimilarityGraph.SIMILARITY);
      return TensorScope.floatsOf(
          lease.get().run(run, inputs, wanted).get(SimilarityGraph.SIMILARITY));
    }
  }

  private static Operand operand(OnnxTensor tensor) {
    return new Operand(Embedder.elementType(tensor.getInfo()), tensor.getInfo().getShape().length);
  }

  private ModelSession open(Key key) {
    byte[] graph =
        SimilarityGraph.build(width, key.first(), key.second(), key.measure() == Measure.COSINE);
    return sessions.open(graph, Path.of(""), "the comparison of tokens");
  }

  @Override
  public void close() {
    pool.close();
  }
}
