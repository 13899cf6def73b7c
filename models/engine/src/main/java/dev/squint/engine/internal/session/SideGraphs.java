package dev.squint.engine.internal.session;

import ai.onnxruntime.OnnxTensor;
import dev.squint.engine.internal.ort.ModelSession;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.engine.internal.tokens.TileParts;
import dev.squint.onnx.internal.observe.SideGraph;
import dev.squint.pruning.observe.Axis;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Leaf;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.site.Scope;
import dev.squint.pruning.site.SiteContext;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Computes expressions over what flows between the parts of a model, in graphs of their own. */
public final class SideGraphs implements AutoCloseable {

  private static final int GRAPHS_KEPT = 4;

  private final SessionFactory sessions;
  private final int width;
  private final RefCountedCache<Key, ModelSession> pool = new RefCountedCache<>(GRAPHS_KEPT);

  private record Key(Expression expression, Map<Leaf, SideGraph.Operand> operands) {}

  /**
   * Where a named tensor is found.
   *
   * @param tensor {@code [..., hidden]}
   * @param rows those looked at
   */
  public record Found(OnnxTensor tensor, int[] rows) {}

  public SideGraphs(SessionFactory sessions, int width) {
    this.sessions = sessions;
    this.width = width;
  }

  /**
   * Computes an expression; tile by tile where visual tokens are paired with each other.
   *
   * @param tensors finds what it looks at; asked only for rows that there are
   * @param count how many tokens are meant by rows
   */
  public Observation observe(
      TensorScope scope,
      Expression need,
      Function<Leaf, Found> tensors,
      Function<Rows, Integer> count,
      SiteContext context) {
    List<Leaf> leaves = need.leaves().toList();
    if (leaves.stream().anyMatch(leaf -> count.apply(leaf.rows()) == 0)) {
      return ofNoRows(need, count);
    }
    Map<Leaf, Found> found = leaves.stream().collect(Collectors.toMap(leaf -> leaf, tensors));
    if (!need.pairsVisual()) {
      return run(scope, need, found).observation(need);
    }
    List<TileParts.Part> parts = new ArrayList<>();
    int[] sizes = {};
    for (Scope.Group tile : Scope.TILE.groups(context)) {
      Map<Leaf, Found> here = new HashMap<>(found);
      here.replaceAll((leaf, all) -> leaf.rows() == Rows.VISUAL ? part(all, tile) : all);
      Values values = run(scope, need, here);
      sizes = values.sizes();
      int[] tokens = IntStream.range(0, tile.size()).toArray();
      parts.add(new TileParts.Part(values.numbers(), 0, tile.size(), tokens));
    }
    return need.axes().stream().anyMatch(Axis::isVisual)
        ? new TileParts(need.axes(), sizes, parts).joined()
        : stacked(need, sizes, parts);
  }

  private static Found part(Found all, Scope.Group tile) {
    return new Found(all.tensor(), Arrays.copyOfRange(all.rows(), tile.from(), tile.to()));
  }

  /** What speaks of no single token, one row or more per tile. */
  private static Observation stacked(Expression need, int[] sizes, List<TileParts.Part> parts) {
    int length = parts.get(0).values().length;
    float[] all = new float[parts.size() * length];
    for (int i = 0; i < parts.size(); i++) {
      System.arraycopy(parts.get(i).values(), 0, all, i * length, length);
    }
    int columns = need.axes().isEmpty() ? 1 : sizes[sizes.length - 1];
    return Observation.over(all.length / columns, columns, all);
  }

  /** Zeros, as many as there are tokens: folding no token gives 0. */
  private Observation ofNoRows(Expression need, Function<Rows, Integer> count) {
    int rows = 1;
    int columns = 1;
    for (Axis axis : need.axes()) {
      rows *= columns;
      columns = axis.rows().map(count).orElse(width);
    }
    return Observation.over(rows, columns, new float[rows * columns]);
  }

  private record Values(int[] sizes, float[] numbers) {

    Observation observation(Expression need) {
      int columns = need.axes().isEmpty() ? 1 : sizes[sizes.length - 1];
      return Observation.over(columns == 0 ? 0 : numbers.length / columns, columns, numbers);
    }
  }

  private Values run(TensorScope scope, Expression need, Map<Leaf, Found> found) {
    Map<Leaf, SideGraph.Operand> operands = new HashMap<>();
    found.forEach((leaf, operand) -> operands.put(leaf, operand(operand.tensor())));
    Key key = new Key(need.unnamed(), operands);
    try (TensorScope run = scope.newScope();
        var lease = pool.acquire(key, () -> open(key))) {
      Map<String, OnnxTensor> inputs = new HashMap<>();
      found.forEach(
          (leaf, operand) -> {
            int[] rows = operand.rows();
            inputs.put(SideGraph.tensor(leaf), operand.tensor());
            inputs.put(SideGraph.rows(leaf), run.indices(rows, rows.length));
          });
      Set<String> wanted = Set.of(SideGraph.RESULT);
      OnnxTensor result = lease.get().run(run, inputs, wanted).get(SideGraph.RESULT);
      int[] shape =
          Arrays.stream(result.getInfo().getShape()).skip(1).mapToInt(Math::toIntExact).toArray();
      return new Values(shape, TensorScope.valuesOf(result));
    }
  }

  private static SideGraph.Operand operand(OnnxTensor tensor) {
    return new SideGraph.Operand(
        Embedder.elementType(tensor.getInfo()), tensor.getInfo().getShape().length);
  }

  private ModelSession open(Key key) {
    byte[] graph = SideGraph.build(key.expression(), key.operands(), width);
    return sessions.open(graph, Path.of(""), "the observation " + key.expression());
  }

  @Override
  public void close() {
    pool.close();
  }
}
