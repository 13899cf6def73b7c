package dev.squint.onnx.internal.decoder;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.squint.error.ModelException;
import dev.squint.onnx.internal.attention.AttentionSite;
import dev.squint.onnx.internal.attention.FusedAttention;
import dev.squint.onnx.internal.attention.HeadSizes;
import dev.squint.onnx.internal.attention.SoftmaxAttention;
import dev.squint.onnx.internal.graph.Dominators;
import dev.squint.onnx.internal.graph.ElementSize;
import dev.squint.onnx.internal.graph.Flow;
import dev.squint.onnx.internal.graph.Matrix;
import dev.squint.onnx.internal.graph.MatrixWeights;
import dev.squint.onnx.internal.graph.OnnxGraph;
import dev.squint.onnx.report.PositionSource;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * What a decoder graph looks like inside: where its layers begin, where the rows of all but the
 * last token may be left out, and which node holds the attention of a layer.
 *
 * <p>Layers are told apart by the names of their KV inputs ({@code past_key_values.{i}.key}) alone;
 * everything else follows from the flow of data, so that any exporter will do whose hidden states
 * pass through a single node between two layers.
 *
 * <p>Leaving out rows is exact where every token is computed on its own. A dynamically quantised
 * file scales its activations by the largest value among all rows; there the last row, scaled by
 * itself, comes out slightly finer.
 */
public final class DecoderGraph {

  /** Name of the input that carries the embedded prompt, shape {@code [1, tokens, hidden]}. */
  public static final String EMBEDS = "inputs_embeds";

  /**
   * Name of the output that carries the scores of the next token, shape {@code [1, rows,
   * vocabulary]}.
   */
  public static final String LOGITS = "logits";

  /**
   * Name of the output, in the segment with the logits, that carries the token with the best of the
   * scores, the smallest among equals, int64 {@code [1, rows]}; -1 where scores are not numbers.
   */
  public static final String BEST_TOKEN = "best_token";

  /**
   * Name of the input that carries the rotary positions, shape {@code [1, tokens]} or, for mRoPE,
   * {@code [3, 1, tokens]}.
   */
  public static final String POSITIONS = "position_ids";

  /**
   * Name of the input that tells visual tokens (1) from text (0), int64 {@code [1, tokens]}; only
   * decoders have it whose visual tokens see each other in both directions.
   */
  public static final String TOKEN_TYPES = "token_type_ids";

  /** Name of the input that tells how many of the last positions get logits. */
  public static final String LOGITS_TO_KEEP = "num_logits_to_keep";

  /** Name of the input that tells past and new tokens, shape {@code [1, past + tokens]}. */
  public static final String MASK = "attention_mask";

  /** What the names of all KV inputs begin with. */
  public static final String PAST = "past_key_values.";

  private static final int MROPE_RANK = 3;

  private final OnnxGraph graph;
  private final int layers;
  private final Optional<String> counted;
  private final PositionSource positions;
  private final Dominators dominators;
  private final BitSet hiddenNodes;
  private final BitSet residualStream;
  private final Map<String, Integer> pastLayers = new HashMap<>();
  private final DeepStackInputs deepStack;
  private final int lastRowNode;
  private final Optional<DecoderGraph> steps;
  private volatile HeadSizes heads;

  /**
   * Analyses a decoder.
   *
   * @param graph the graph of {@code decoder_model_merged.onnx}
   * @throws ModelException if it is not a decoder with a KV cache
   */
  public DecoderGraph(OnnxGraph graph) {
    this(graph, Optional.empty());
  }

  /**
   * Analyses a decoder of two graphs.
   *
   * @param graph the one that takes a prompt
   * @param steps the one that takes each token after it
   */
  DecoderGraph(OnnxGraph graph, Optional<DecoderGraph> steps) {
    this.graph = MergedDecoder.unwrapped(graph);
    require(this.graph.inputs().containsKey(EMBEDS), "an input '" + EMBEDS + "'");
    require(this.graph.outputs().containsKey(LOGITS), "an output '" + LOGITS + "'");
    refuseBranches();
    this.layers = countLayers();
    boolean fused = this.graph.nodes().stream().anyMatch(FusedRotary::isIn);
    boolean given = this.graph.inputs().containsKey(POSITIONS);
    this.counted = given || fused ? Optional.empty() : CountedPositions.find(this.graph);
    this.positions = positionSource(fused);
    this.dominators = new Dominators(this.graph, EMBEDS);
    this.hiddenNodes = flow(EMBEDS).all();
    this.deepStack = DeepStackInputs.of(this.graph);
    this.lastRowNode = findLastRowNode();
    this.residualStream = dominators.chain(this.graph.producer(LOGITS));
    this.steps = steps;
    if (steps.isPresent() && (steps.get().layers != layers || steps.get().positions != positions)) {
      throw new ModelException(
          "%s has %d layers and its positions come from %s, but %s beside it has %d and %s; use the files of one export"
              .formatted(
                  steps.get().file(),
                  steps.get().layers,
                  steps.get().positions,
                  graph.file(),
                  layers,
                  positions));
    }
  }

  /** Input name of the cached keys or values of a layer. */
  public static String past(int layer, boolean key) {
    return PAST + layer + (key ? ".key" : ".value");
  }

  /** Output name of the grown keys or values of a layer. */
  public static String present(int layer, boolean key) {
    return "present." + layer + (key ? ".key" : ".value");
  }

  private void require(boolean condition, String what) {
    if (!condition) {
      throw new ModelException(
          "%s has not %s; a decoder in hub layout (decoder_model_merged.onnx, exported with its KV cache) is needed"
              .formatted(graph.file(), what));
    }
  }

  /**
   * Files merged from a decoder with and one without cache hold their layers in the branches of one
   * If.
   */
  private void refuseBranches() {
    int producer = graph.producer(LOGITS);
    NodeProto last = producer < 0 ? NodeProto.getDefaultInstance() : graph.nodes().get(producer);
    if (last.getOpType().equals("If")) {
      throw new ModelException(
          "%s keeps its layers inside the branches of %s; export the decoder with its KV cache and without merging"
              .formatted(graph.file(), OnnxGraph.label(last)));
    }
  }

  private PositionSource positionSource(boolean fused) {
    ValueInfoProto input = graph.inputs().get(POSITIONS);
    if (input != null) {
      int rank = input.getType().getTensorType().getShape().getDimCount();
      long rows = graph.inputDimension(POSITIONS, 0);
      if (rank == MROPE_RANK && rows > 0 && rows != PositionSource.INPUT_3D.rows()) {
        throw new ModelException(
            "%s takes '%s' of %d rows, but time, height and width are known here; export the decoder with three"
                .formatted(graph.file(), POSITIONS, rows));
      }
      return rank == MROPE_RANK ? PositionSource.INPUT_3D : PositionSource.INPUT;
    }
    if (fused) {
      return PositionSource.FUSED;
    }
    return counted.isPresent() ? PositionSource.COUNTED : PositionSource.UNKNOWN;
  }

  /** The tensor of the positions that the graph counts by itself, if it does. */
  Optional<String> counted() {
    return counted;
  }

  /** Where the rotary positions come from. */
  public PositionSource positions() {
    return positions;
  }

  private int countLayers() {
    long keys = graph.inputs().keySet().stream().filter(n -> n.startsWith(PAST)).count();
    int count = 0;
    while (graph.inputs().containsKey(past(count, true))) {
      require(
          graph.inputs().containsKey(past(count, false)), "an input '" + past(count, false) + "'");
      require(
          graph.outputs().containsKey(present(count, true)),
          "an output '" + present(count, true) + "'");
      require(
          graph.outputs().containsKey(present(count, false)),
          "an output '" + present(count, false) + "'");
      pastLayers.put(past(count, true), count);
      pastLayers.put(past(count, false), count);
      count++;
    }
    require(count > 0, "an input '" + past(0, true) + "'");
    if (keys != 2L * count) {
      throw new ModelException(
          "%s: %d inputs are named past_key_values.*, but layers 0..%d account for %d; decoders with gaps in their KV cache are not supported"
              .formatted(graph.file(), keys, count - 1, 2 * count));
    }
    return count;
  }

  private int findLastRowNode() {
    int logits = graph.producer(LOGITS);
    if (!dominators.reaches(logits)) {
      throw new ModelException(
          graph.file() + ": the output 'logits' does not depend on 'inputs_embeds'");
    }
    BitSet afterLastValue = flow(past(layers - 1, false)).all();
    int top = logits;
    for (int node = logits;
        node != Dominators.ROOT && afterLastValue.get(node) && !meetsDeepStack(node);
        node = dominators.above(node)) {
      top = node;
    }
    BitSet below = graph.dependents(Set.copyOf(consumedOutputs(top)));
    boolean feedsCache =
        graph.outputs().keySet().stream()
            .filter(output -> !output.equals(LOGITS))
            .mapToInt(graph::producer)
            .anyMatch(producer -> producer >= 0 && below.get(producer));
    return feedsCache ? logits : top;
  }

  /** Whether features of all tokens are added below a node. */
  private boolean meetsDeepStack(int node) {
    if (deepStack.isEmpty()) {
      return false;
    }
    BitSet features = flow(deepStack.names()).all();
    BitSet below = graph.dependents(Set.copyOf(consumedOutputs(node)));
    return below.stream()
        .anyMatch(
            reader ->
                OnnxGraph.reads(graph.nodes().get(reader)).stream()
                    .anyMatch(
                        tensor -> {
                          int producer = graph.producer(tensor);
                          return producer < 0
                              ? deepStack.names().contains(tensor)
                              : features.get(producer) && !hiddenNodes.get(producer);
                        }));
  }

  /** What it takes of DeepStack features. */
  public DeepStackInputs deepStack() {
    return deepStack;
  }

  /** The inputs of DeepStack features that some layer from this one on reads. */
  List<String> deepStackFrom(int layer) {
    if (deepStack.isEmpty() || layer == 0) {
      return deepStack.names();
    }
    Set<String> seen = new HashSet<>(boundary(layer));
    Deque<String> work = new ArrayDeque<>(List.of(LOGITS));
    while (!work.isEmpty()) {
      String tensor = work.pop();
      if (seen.add(tensor) && graph.producer(tensor) >= 0) {
        work.addAll(graph.reads(graph.producer(tensor)));
      }
    }
    return deepStack.names().stream().filter(seen::contains).toList();
  }

  List<String> consumedOutputs(int node) {
    return graph.nodes().get(node).getOutputList().stream()
        .filter(output -> !output.isEmpty() && graph.isConsumed(output))
        .toList();
  }

  private Flow flow(String input) {
    return flow(List.of(input));
  }

  private Flow flow(List<String> inputs) {
    return new Flow(graph, inputs, false);
  }

  /** Nodes that the hidden states flow through. Not to be changed. */
  BitSet hiddenNodes() {
    return hiddenNodes;
  }

  /** The layer whose cache an input carries, -1 for other inputs. */
  int layerOfPast(String input) {
    return pastLayers.getOrDefault(input, -1);
  }

  /** The norm between the last layer and the output matrix. */
  FinalNorm finalNorm() {
    return FinalNorm.find(graph, residualStream, hiddenNodes);
  }

  /** The graph that takes each token after the prompt, if that is another one. */
  public Optional<DecoderGraph> steps() {
    return steps;
  }

  /**
   * Whether the tokens of a segment may run in parts, one after the other, each on the cache of
   * those before it: where the attention is an operator that looks at no later token, nothing else
   * looks at other tokens, and nothing is observed but what the last tokens attend to. On a CPU
   * that operator computes the scores to later tokens all the same, before it hides them, so that
   * parts spare it work and memory.
   */
  public boolean runsInParts(SegmentSpec spec) {
    return steps.isEmpty()
        && deepStack.isEmpty()
        && spec.cache().asExported()
        && spec.taps().stream().allMatch(RowInput::serves)
        && !spec.lookahead()
        && isCausal();
  }

  private boolean isCausal() {
    List<NodeProto> nodes = graph.nodes();
    boolean overRange =
        nodes.stream().anyMatch(node -> node.getOpType().startsWith("DynamicQuantize"));
    long causal = nodes.stream().filter(FusedAttention::isCausal).count();
    return causal == layers && !overRange && !graph.inputs().containsKey(TOKEN_TYPES);
  }

  /** The same segment, such that its tokens can run in parts, if they may. */
  public SegmentSpec takingParts(SegmentSpec spec) {
    return runsInParts(spec) ? spec.gathering() : spec;
  }

  /** The same segment with a cache that grows where it lies, if all its layers can have one. */
  public SegmentSpec growing(SegmentSpec spec) {
    boolean whole =
        steps.isEmpty() && spec.cache() instanceof KvCacheLayout.Whole && !spec.lookahead();
    return whole
            && IntStream.range(spec.from(), spec.to())
                .allMatch(layer -> GrowingCacheWriter.suits(graph, layer))
        ? spec.with(new KvCacheLayout.Growing())
        : spec;
  }

  /** The feed-forward of a layer other than the last one. */
  public FeedForward feedForward(int layer) {
    return FeedForward.before(graph, hiddenStates(layer + 1), residualStream, hiddenNodes);
  }

  OnnxGraph graph() {
    return graph;
  }

  /** The number of decoder layers. */
  public int layers() {
    return layers;
  }

  /**
   * The tensors that carry the hidden states into a layer: one for a plain residual stream, two
   * where the residual sum is fused with the norm that follows.
   *
   * @throws ModelException if the hidden states do not pass through a single node there
   */
  List<String> boundary(int layer) {
    if (layer == 0) {
      return List.of(EMBEDS);
    }
    int key = graph.producer(present(layer, true));
    int value = graph.producer(present(layer, false));
    int logits = graph.producer(LOGITS);
    boolean flows =
        dominators.reaches(key) && dominators.reaches(value) && dominators.reaches(logits);
    int meet = flows ? dominators.common(dominators.common(key, value), logits) : Dominators.ROOT;
    if (meet == Dominators.ROOT) {
      throw new ModelException(
          "%s cannot be split before layer %d: looked for a node that all paths from %s to %s, %s and %s pass, found none; export a decoder with one residual stream, without mixing layers"
              .formatted(
                  graph.file(),
                  layer,
                  EMBEDS,
                  present(layer, true),
                  present(layer, false),
                  LOGITS));
    }
    if (!flow(past(layer - 1, false)).reaches(meet)) {
      throw new ModelException(
          "%s cannot be split before layer %d: the node where the paths meet, %s, lies before the attention of layer %d; export a decoder whose layers follow each other"
              .formatted(graph.file(), layer, OnnxGraph.label(graph.nodes().get(meet)), layer - 1));
    }
    return consumedOutputs(meet);
  }

  /** The residual stream into a layer; the sum, where it crosses together with its norm. */
  String hiddenStates(int layer) {
    List<String> tensors = boundary(layer);
    return tensors.get(tensors.size() - 1);
  }

  /**
   * The first node after the last attention that all paths to the logits pass; below it every token
   * is on its own.
   */
  int lastRowNode() {
    return lastRowNode;
  }

  /**
   * Nodes of the residual stream, whose outputs have the token axis at 1: the dominators of the
   * logits. Not to be changed.
   */
  BitSet residualStream() {
    return residualStream;
  }

  /**
   * The attention of one layer.
   *
   * @throws ModelException if there is none that can be observed
   */
  AttentionSite attention(int layer) {
    int node =
        attentionNode(layer)
            .orElseThrow(
                () ->
                    new ModelException(
                        "%s: layer %d has no attention operator after %s, so its attention cannot be observed; export the decoder with eager attention"
                            .formatted(graph.file(), layer, past(layer, true))));
    return FusedAttention.isOne(graph.nodes().get(node))
        ? FusedAttention.read(graph, node)
        : SoftmaxAttention.read(graph, node);
  }

  private OptionalInt attentionNode(int layer) {
    Flow here = flow(past(layer, true));
    Flow later =
        new Flow(graph, layer + 1 < layers ? List.of(past(layer + 1, true)) : List.of(), false);
    List<NodeProto> nodes = graph.nodes();
    for (int i = here.next(0); i >= 0; i = here.next(i + 1)) {
      NodeProto node = nodes.get(i);
      boolean attends = FusedAttention.isOne(node) || node.getOpType().equals("Softmax");
      if (attends && !later.reaches(i)) {
        return OptionalInt.of(i);
      }
    }
    return OptionalInt.empty();
  }

  /**
   * How the attention of a layer is encoded: {@code Softmax}, {@code GroupQueryAttention} and so
   * on.
   *
   * @throws ModelException if its attention cannot be observed
   */
  public String attentionEncoding(int layer) {
    return attention(layer).encoding();
  }

  /** Width of the hidden states, or -1 where the graph leaves it open. */
  public long hidden() {
    return graph.inputDimension(EMBEDS, 2);
  }

  /** Query heads of the first layer, or -1 where the graph does not tell. */
  public long heads() {
    return headSizes().heads();
  }

  /** Heads of keys and values in the cache of the first layer, or -1. */
  public long kvHeads() {
    long declared = graph.inputDimension(past(0, true), 1);
    return declared > 0 ? declared : headSizes().kvHeads();
  }

  /** Bytes of a number in the cache of the first layer. */
  public int cacheElementBytes() {
    return ElementSize.bits(elementType(past(0, true))) / Byte.SIZE;
  }

  /** Width of a head of the first layer, or -1. */
  public long headDim() {
    return headSizes().headDim();
  }

  private HeadSizes headSizes() {
    HeadSizes found = heads;
    if (found == null) {
      long declared = graph.inputDimension(past(0, true), 3);
      OptionalInt node = attentionNode(0);
      found =
          node.isPresent()
              ? HeadSizes.of(graph, node.getAsInt(), declared)
              : new HeadSizes(-1, -1, declared);
      heads = found;
    }
    return found;
  }

  /** Inner width of the MLP of the first layer, or -1 where it is not found. */
  public long intermediate() {
    if (layers == 1) {
      return -1;
    }
    try {
      return Matrix.after(graph, feedForward(0).activations()).map(Matrix::rows).orElse(-1L);
    } catch (ModelException e) {
      // A layer that cannot be split or observed: its other sizes are known all the same.
      return -1;
    }
  }

  /** The share of its weights, by bytes, that are matrices several sessions can have in common. */
  public double matrixShare() {
    return MatrixWeights.share(graph.model(), graph.folder());
  }

  /** The file it was read from. */
  public Path file() {
    return graph.file();
  }

  /** Names of its inputs. */
  public Set<String> inputs() {
    return graph.inputs().keySet();
  }

  /** How many tokens it takes at once, or -1 for any number. */
  public long tokensAtOnce() {
    return graph.inputDimension(EMBEDS, 1);
  }

  /** Number of tokens that the logits score, or -1 where the graph leaves it open. */
  public long vocabulary() {
    ValueInfoProto logits = graph.outputs().get(LOGITS);
    int rank = logits.getType().getTensorType().getShape().getDimCount();
    return rank == 0 || !logits.getType().getTensorType().getShape().getDim(rank - 1).hasDimValue()
        ? -1
        : logits.getType().getTensorType().getShape().getDim(rank - 1).getDimValue();
  }

  /** The ONNX element type of a hidden tensor. */
  int elementType(String tensor) {
    return graph.types().of(tensor);
  }
}
