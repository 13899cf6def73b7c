package dev.squint.engine.internal.session;

import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.TensorInfo;
import dev.squint.engine.internal.ort.ModelSession;
import dev.squint.engine.internal.ort.StandingRun;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.engine.internal.tokens.TokenReduction;
import dev.squint.error.ModelException;
import dev.squint.onnx.internal.decoder.DeepStackInputs;
import dev.squint.onnx.internal.decoder.MergeGraph;
import dev.squint.onnx.internal.graph.FloatOutput;
import dev.squint.onnx.internal.graph.OnnxGraph;
import dev.squint.onnx.internal.io.Printable;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** Turns token ids into embeddings and puts image features in the place of image placeholders. */
public final class Embedder implements AutoCloseable {

  private static final String IDS = "input_ids";
  private static final String EMBEDS = "inputs_embeds";
  private static final Set<String> ONLY_EMBEDS = Set.of(EMBEDS);

  /** What a graph that puts image features in by itself takes. */
  private static final String FEATURES = "image_features";

  private static final int MATRIX_RANK = 2;
  private static final int LEVELS_RANK = 3;

  private final ModelSession embed;
  private final boolean mergesItself;
  private final Map<String, long[]> noImages;
  private final SessionFactory sessions;
  private final long width;
  private final RefCountedCache<Merge, ModelSession> merge = new RefCountedCache<>(2);

  private record Merge(int featureRank, boolean merges) {}

  public Embedder(SessionFactory sessions, OnnxGraph graph, long width) {
    this.sessions = sessions;
    this.width = width;
    this.embed = open(sessions, graph);
    this.mergesItself = embed.inputs().contains(FEATURES);
    try {
      this.noImages = noImages(graph);
    } catch (ModelException e) {
      embed.close();
      throw e;
    }
  }

  /**
   * What stands for the features of no image in a graph that puts them in by itself: besides these
   * it may lay DeepStack features, {@code [levels, tokens, width]}, on the sequence.
   */
  private Map<String, long[]> noImages(OnnxGraph graph) {
    Map<String, long[]> none = new HashMap<>();
    for (String input : embed.inputs()) {
      long[] shape = input.equals(IDS) ? new long[0] : embed.input(input).getShape();
      if (input.equals(FEATURES)) {
        none.put(
            input, shape.length == MATRIX_RANK ? new long[] {0, width} : new long[] {1, 0, width});
      } else if (mergesItself
          && DeepStackInputs.isNamed(input)
          && shape.length == LEVELS_RANK
          && shape[0] > 0) {
        none.put(input, new long[] {shape[0], 0, width});
      } else if (!input.equals(IDS)) {
        throw new ModelException(
            "%s has the inputs %s, but only '%s', '%s' and DeepStack features of a declared number of levels are known here; use the graph of an export that embeds text"
                .formatted(graph.file(), Printable.of(embed.inputs().toString()), IDS, FEATURES));
      }
    }
    if (!embed.inputs().contains(IDS)) {
      throw new ModelException(
          "%s has no input '%s'; use the graph of an export that embeds text"
              .formatted(graph.file(), IDS));
    }
    return none;
  }

  /** The graph, made to return float32 if it does not. */
  private static ModelSession open(SessionFactory sessions, OnnxGraph graph) {
    ModelSession session = sessions.open(graph);
    try {
      if (session.output(EMBEDS).type == OnnxJavaType.FLOAT) {
        return session;
      }
    } catch (RuntimeException e) {
      session.close();
      throw e;
    }
    session.close();
    return sessions.open(
        FloatOutput.of(graph, EMBEDS), graph.folder(), graph.file() + " in float32");
  }

  /** Embeds text, float32 {@code [1, n, hidden]}. */
  public OnnxTensor embed(TensorScope scope, long[] tokens) {
    try (TensorScope run = scope.newScope()) {
      return scope.transferFrom(run, embed(run, run.longs(tokens, 1, tokens.length)));
    }
  }

  /**
   * Embeds text, float32 {@code [1, n, hidden]}.
   *
   * @param tokens int64 {@code [1, n]}
   */
  public OnnxTensor embed(TensorScope scope, OnnxTensor tokens) {
    return embed.run(scope, inputs(scope, tokens), ONLY_EMBEDS).get(EMBEDS);
  }

  /**
   * Embeds text again and again.
   *
   * @param owner owner of what else the graph is given
   * @param tokens int64 {@code [1, n]}
   * @param into float32 {@code [1, n, hidden]}
   */
  public StandingRun standing(TensorScope owner, OnnxTensor tokens, OnnxTensor into) {
    return embed.standing(owner, inputs(owner, tokens), Map.of(EMBEDS, into));
  }

  /** Where the graph puts features in, it is given none: they go in behind it. */
  private Map<String, OnnxTensor> inputs(TensorScope scope, OnnxTensor tokens) {
    Map<String, OnnxTensor> inputs = new HashMap<>(Map.of(IDS, tokens));
    noImages.forEach(
        (input, shape) -> inputs.put(input, scope.empty(embed.inputType(input), shape)));
    return inputs;
  }

  /**
   * Embeds a prompt with images.
   *
   * @param tokens for each live row its token id; what stands for visual tokens does not matter
   * @param features features of all visual tokens that arrive at the site
   * @param reduction the visual tokens that go on
   * @param visualRows for each of them its live row
   */
  public OnnxTensor embed(
      TensorScope scope,
      long[] tokens,
      OnnxTensor features,
      TokenReduction reduction,
      int[] visualRows) {
    if (visualRows.length == 0) {
      return embed(scope, tokens);
    }
    boolean merges = reduction.merges().tokens() > 0;
    Merge key = new Merge(features.getInfo().getShape().length, merges);
    try (TensorScope run = scope.newScope();
        var lease = merge.acquire(key, () -> openMerge(features.getInfo(), merges))) {
      Map<String, OnnxTensor> inputs = new HashMap<>();
      inputs.put(MergeGraph.TEXT, embed(run, mergesItself ? asText(tokens, visualRows) : tokens));
      inputs.put(MergeGraph.FEATURES, features);
      inputs.put(MergeGraph.KEEP_VISUAL, run.indices(reduction.liveVisual(), visualRows.length));
      inputs.put(MergeGraph.POSITIONS, run.indices(visualRows, visualRows.length, 1));
      if (merges) {
        reduction.merges().give(run, inputs);
      }
      return scope.transferFrom(
          run, lease.get().run(run, inputs, Set.of(MergeGraph.MERGED)).get(MergeGraph.MERGED));
    }
  }

  /** No token stands for an image, or the graph would look for its features. */
  private static long[] asText(long[] tokens, int[] visualRows) {
    long[] text = tokens.clone();
    for (int row : visualRows) {
      text[row] = 0;
    }
    return text;
  }

  private ModelSession openMerge(TensorInfo features, boolean merges) {
    TensorInfo text = embed.output(EMBEDS);
    byte[] graph =
        MergeGraph.build(
            width, elementType(text), elementType(features), features.getShape().length, merges);
    return sessions.open(graph, Path.of(""), "the merge of text and image");
  }

  /** The ONNX element type of a tensor of floats. */
  public static int elementType(TensorInfo info) {
    return switch (info.type) {
      case FLOAT -> TensorProto.DataType.FLOAT.getNumber();
      case FLOAT16 -> TensorProto.DataType.FLOAT16.getNumber();
      case BFLOAT16 -> TensorProto.DataType.BFLOAT16.getNumber();
      case UINT8 -> TensorProto.DataType.UINT8.getNumber();
      default ->
          throw new ModelException(
              "embeddings of type %s are not supported; export them as float".formatted(info.type));
    };
  }

  @Override
  public void close() {
    try {
      embed.close();
    } finally {
      merge.close();
    }
  }
}
