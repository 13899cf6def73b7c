package dev.squint.engine.internal.session;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.TensorInfo;
import dev.squint.engine.internal.ort.ModelSession;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.engine.internal.tokens.TokenReduction;
import dev.squint.onnx.internal.decoder.DeepStackGraph;
import dev.squint.onnx.internal.decoder.DeepStackInputs;
import dev.squint.onnx.internal.decoder.MergeGraph;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Lays DeepStack features on the rows of a prompt, for decoders that take them so; for others there
 * is nothing to lay.
 */
public final class DeepStack implements AutoCloseable {

  private final SessionFactory sessions;
  private final DeepStackInputs inputs;
  private final int levels;
  private final int width;
  private final RefCountedCache<Key, ModelSession> pool = new RefCountedCache<>(2);

  private record Key(int type, boolean merges) {}

  /**
   * @param inputs what the decoder takes
   * @param levels how many levels the vision tower gives
   * @param width width of the hidden states
   */
  public DeepStack(SessionFactory sessions, DeepStackInputs inputs, int levels, int width) {
    this.sessions = sessions;
    this.inputs = inputs;
    this.levels = levels;
    this.width = width;
  }

  /** How many levels there are, 0 where there is nothing to lay. */
  public int levels() {
    return levels;
  }

  /**
   * Rows without features, for text alone.
   *
   * @param scope their owner
   * @return what the decoder takes besides the embeddings, in its order
   */
  public List<OnnxTensor> none(TensorScope scope, int rows) {
    List<OnnxTensor> none = new ArrayList<>();
    long[] shape = inputs.shape(levels, rows, width);
    for (int input = 0; input < inputs.names().size(); input++) {
      FloatBuffer zeros =
          ByteBuffer.allocateDirect(
                  Math.multiplyExact(
                      inputs.packed() ? levels : 1, Math.multiplyExact(rows, width * Float.BYTES)))
              .order(ByteOrder.nativeOrder())
              .asFloatBuffer();
      none.add(scope.floats(zeros, shape));
    }
    return none;
  }

  /**
   * Rows with the features of visual tokens.
   *
   * @param scope their owner
   * @param features of each level, of all visual tokens that arrive at the site
   * @param reduction the visual tokens that go on
   * @param visualRows for each of them its live row
   * @param rows how many live rows there are
   * @return what the decoder takes besides the embeddings, in its order
   */
  public List<OnnxTensor> laid(
      TensorScope scope,
      List<OnnxTensor> features,
      TokenReduction reduction,
      int[] visualRows,
      int rows) {
    if (inputs.isEmpty() || visualRows.length == 0) {
      return none(scope, rows);
    }
    boolean merges = reduction.merges().tokens() > 0;
    TensorInfo like = features.get(0).getInfo();
    Key key = new Key(Embedder.elementType(like), merges);
    try (TensorScope run = scope.newScope();
        var lease = pool.acquire(key, () -> open(key))) {
      Map<String, OnnxTensor> given = new HashMap<>();
      for (int level = 0; level < levels; level++) {
        given.put(DeepStackGraph.level(level), features.get(level));
      }
      given.put(DeepStackGraph.ROWS, run.longs(new long[] {rows}, 1));
      given.put(MergeGraph.KEEP_VISUAL, run.indices(reduction.liveVisual(), visualRows.length));
      given.put(MergeGraph.POSITIONS, run.indices(visualRows, visualRows.length, 1));
      if (merges) {
        reduction.merges().give(run, given);
      }
      List<String> names =
          IntStream.range(0, inputs.names().size()).mapToObj(DeepStackGraph::laid).toList();
      Set<String> wanted = new LinkedHashSet<>(names);
      Map<String, OnnxTensor> made = lease.get().run(run, given, wanted);
      return names.stream().map(name -> scope.transferFrom(run, made.get(name))).toList();
    }
  }

  private ModelSession open(Key key) {
    return sessions.open(
        DeepStackGraph.build(levels, width, key.type(), inputs.packed(), key.merges()),
        Path.of(""),
        "the laying of DeepStack features");
  }

  @Override
  public void close() {
    pool.close();
  }
}
