package dev.squint.onnx.internal.vision;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import dev.squint.error.ModelException;
import dev.squint.onnx.internal.attention.AttentionSite;
import dev.squint.onnx.internal.attention.FusedAttention;
import dev.squint.onnx.internal.attention.SoftmaxAttention;
import dev.squint.onnx.internal.decoder.DeepStackInputs;
import dev.squint.onnx.internal.decoder.FeedForward;
import dev.squint.onnx.internal.decoder.SegmentModel;
import dev.squint.onnx.internal.graph.Attributes;
import dev.squint.onnx.internal.graph.Dominators;
import dev.squint.onnx.internal.graph.GraphNodes;
import dev.squint.onnx.internal.graph.Matrix;
import dev.squint.onnx.internal.graph.OnnxGraph;
import dev.squint.onnx.internal.observe.ExpressionWriter;
import dev.squint.onnx.internal.observe.TapNames;
import dev.squint.pruning.observe.Expression;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A vision tower, with or without its projector: images in, features out, attention on request.
 *
 * <p>Its layers are told apart by the residual stream: attention that hangs on the same point of it
 * belongs to the same layer. Where a layer attends within windows, each window is an attention of
 * its own and none of them sees the whole image.
 */
public final class VisionGraph {

  /**
   * Name of the input, shape {@code [B, 3, height, width]}; {@code [1, B, 3, height, width]} where
   * the tiles of several images may arrive at once; {@code [patches, values]} where an image
   * arrives as patches.
   */
  public static final String PIXELS = "pixel_values";

  /** Name of the output, shape {@code [B, N, hidden]} or {@code [B * N, hidden]}. */
  public static final String FEATURES = "image_features";

  /** Name of the output of a {@link #vector}. */
  public static final String VECTOR = "squint.vector";

  private static final int PATCHES_RANK = 2;
  private static final int MATRIX_RANK = 2;
  private static final int STATES_RANK = 3;

  /** Matrices, or what rounds to integers before one. */
  private static final Set<String> MATRICES =
      Set.of("MatMul", "Gemm", "MatMulNBits", "DynamicQuantizeLinear", "DynamicQuantizeMatMul");

  private final OnnxGraph graph;
  private final Dominators dominators;
  private final BitSet stream;
  private final List<List<AttentionSite>> layers;
  private final boolean hasCls;
  private final Optional<Pooling> pooling;
  private final int deepStackLevels;
  private final Set<Integer> windowed;
  private volatile String projectorInput;
  private volatile TowerSizes sizes;

  /**
   * Analyses a tower.
   *
   * @param graph the graph of {@code vision_encoder.onnx}
   * @throws ModelException if it has not the inputs and outputs of one
   */
  public VisionGraph(OnnxGraph graph) {
    this.graph = graph;
    if (!graph.inputs().containsKey(PIXELS) || !graph.outputs().containsKey(FEATURES)) {
      throw new ModelException(
          "%s has not the input '%s' and the output '%s' of a vision encoder in hub layout"
              .formatted(graph.file(), PIXELS, FEATURES));
    }
    dominators = new Dominators(graph, PIXELS);
    stream = residualStream();
    layers = findLayers();
    hasCls = findCls();
    pooling = Optional.empty();
    deepStackLevels = 0;
    windowed = Set.of();
  }

  private VisionGraph(
      VisionGraph tower, Optional<Pooling> pooling, int deepStackLevels, Set<Integer> windowed) {
    this.graph = tower.graph;
    this.dominators = tower.dominators;
    this.stream = tower.stream;
    this.layers = tower.layers;
    this.hasCls = tower.hasCls;
    this.pooling = pooling;
    this.deepStackLevels = deepStackLevels;
    this.windowed = windowed;
  }

  /**
   * The same tower, giving the DeepStack features that a decoder takes.
   *
   * @throws ModelException if it does not have them
   */
  public VisionGraph feeding(DeepStackInputs decoder) {
    return decoder.isEmpty()
        ? this
        : new VisionGraph(this, pooling, deepStack().fitting(graph, decoder), windowed);
  }

  /** The same tower, of which is known that some layers attend within windows by their masks. */
  public VisionGraph windowed(Set<Integer> layers) {
    return layers.isEmpty()
        ? this
        : new VisionGraph(this, pooling, deepStackLevels, Set.copyOf(layers));
  }

  /**
   * A graph of no input that gives a vector which some exporters leave in the file of the tower, as
   * an output or a weight, such as the newline between rows of tiles.
   *
   * @param names what it may be called
   * @return the serialised model, whose output is {@link #VECTOR}, float32; empty if there is none
   * @throws ModelException if it depends on the image
   */
  public Optional<byte[]> vector(List<String> names) {
    Optional<String> found =
        names.stream()
            .filter(name -> graph.outputs().containsKey(name) || graph.initializer(name) != null)
            .findFirst();
    if (found.isEmpty()) {
      return Optional.empty();
    }
    int producer = graph.producer(found.get());
    if (producer >= 0 && imageNodes().get(producer)) {
      throw new ModelException(
          "%s computes '%s' of the image, but it is one vector of the model; export it as a constant"
              .formatted(graph.file(), found.get()));
    }
    GraphProto.Builder out = graph.model().getGraph().toBuilder().clearOutput().clearInput();
    out.addNode(
        GraphNodes.node("Cast", List.of(found.get()), VECTOR)
            .setName(VECTOR)
            .addAttribute(GraphNodes.integer("to", GraphNodes.FLOAT)));
    out.addOutput(GraphNodes.shapeless(VECTOR, GraphNodes.FLOAT));
    return Optional.of(
        graph.model().toBuilder().setGraph(OnnxGraph.neededOnly(out)).build().toByteArray());
  }

  /** What its file has of DeepStack features. */
  public DeepStackOutputs deepStack() {
    return DeepStackOutputs.of(graph);
  }

  /** The outputs of DeepStack features that a decoder takes, one for each level. */
  public List<String> deepStackLevels() {
    return deepStackLevels == 0 ? List.of() : deepStack().apart(deepStackLevels);
  }

  /**
   * Which patches become one visual token, where the tower takes whole images.
   *
   * @param side rows and columns of patches that become one token
   * @param columns patches in a row of an image
   */
  record Pooling(int side, int columns) {}

  /**
   * The same tower, whose squares of patches become visual tokens. What is observed of visual
   * tokens is then the mean over their patches.
   *
   * @param side rows and columns of such a square
   * @param columns patches in a row of an image
   */
  public VisionGraph pooled(int side, int columns) {
    return side == 1 || takesPatches()
        ? this
        : new VisionGraph(this, Optional.of(new Pooling(side, columns)), deepStackLevels, windowed);
  }

  Optional<Pooling> pooling() {
    return pooling;
  }

  private List<List<AttentionSite>> findLayers() {
    Map<Integer, List<AttentionSite>> byResidual = new LinkedHashMap<>();
    List<NodeProto> nodes = graph.nodes();
    int[] residual = new int[nodes.size()];
    for (int i = 0; i < nodes.size(); i++) {
      if (!dominators.reaches(i)) {
        continue;
      }
      int above = dominators.above(i);
      residual[i] = stream.get(i) ? i : above == Dominators.ROOT ? above : residual[above];
      boolean softmax = nodes.get(i).getOpType().equals("Softmax");
      if (softmax || FusedAttention.isOne(nodes.get(i))) {
        AttentionSite site =
            softmax ? SoftmaxAttention.read(graph, i) : FusedAttention.read(graph, i);
        byResidual.computeIfAbsent(residual[i], key -> new ArrayList<>()).add(site);
      }
    }
    return List.copyOf(byResidual.values());
  }

  private BitSet residualStream() {
    int features = graph.producer(FEATURES);
    if (!dominators.reaches(features)) {
      return new BitSet();
    }
    BitSet stream = dominators.chain(features);
    // Where states of several layers go side by side into the projector, features hang on the
    // first of these; those after it are in the stream of the last.
    for (int i : stream.stream().toArray()) {
      NodeProto node = graph.nodes().get(i);
      if (node.getOpType().equals("Concat")) {
        node.getInputList().stream()
            .mapToInt(graph::producer)
            .filter(dominators::reaches)
            .max()
            .ifPresent(last -> stream.or(dominators.chain(last)));
      }
    }
    return stream;
  }

  private boolean findCls() {
    int end = layers.isEmpty() ? graph.nodes().size() : layers.get(0).get(0).node();
    for (int i = 0; i < end; i++) {
      if (dominators.reaches(i) && prependsLearnedToken(graph.nodes().get(i))) {
        return true;
      }
    }
    return false;
  }

  /**
   * A Concat on the token axis of something that no pixel has a part in, with the patches after it.
   */
  private boolean prependsLearnedToken(NodeProto node) {
    if (!node.getOpType().equals("Concat") || node.getInputCount() != 2) {
      return false;
    }
    long axis = new Attributes(node).integer("axis", 0);
    return (axis == 1 || axis == -2)
        && !dominators.reaches(graph.producer(Attributes.input(node, 0)))
        && dominators.reaches(graph.producer(Attributes.input(node, 1)));
  }

  /** Whether a learned [CLS] token stands before the patches, told from the graph. */
  public boolean hasCls() {
    return hasCls;
  }

  /** The file it was read from. */
  public Path file() {
    return graph.file();
  }

  /** What the graph tells of its sizes. */
  public TowerSizes sizes() {
    TowerSizes found = sizes;
    if (found == null) {
      found = TowerSizes.of(graph, this, stream);
      sizes = found;
    }
    return found;
  }

  /** The attention of the first layer, -1 if there is none. */
  int firstAttention() {
    return layers.isEmpty() ? -1 : layers.get(0).get(0).node();
  }

  /** The node of the residual stream after the first layer, -1 if there is no second one. */
  int afterFirstLayer() {
    return layers.size() < 2 ? -1 : stream.previousSetBit(layers.get(1).get(0).node());
  }

  /** Nodes that images flow through. */
  BitSet imageNodes() {
    return graph.dependents(Set.of(PIXELS));
  }

  /** The number of encoder layers that the file holds and that therefore run. */
  public int layers() {
    return layers.size();
  }

  /** Whether convolutions follow attention, or several stand in its place. */
  public boolean isConvolutional() {
    int[] convolutions =
        imageNodes().stream()
            .filter(i -> TowerSizes.CONVOLUTIONS.contains(graph.nodes().get(i).getOpType()))
            .toArray();
    return layers.isEmpty()
        ? convolutions.length > 1
        : Arrays.stream(convolutions).anyMatch(i -> i > firstAttention());
  }

  /** How attention is encoded, for people. */
  public Set<String> encodings() {
    Set<String> encodings = new LinkedHashSet<>();
    layers.forEach(sites -> sites.forEach(site -> encodings.add(site.encoding())));
    return encodings;
  }

  /** Whether a layer attends within windows of the image only. */
  public boolean isWindowed(int layer) {
    return layers.get(layer).size() > 1 || windowed.contains(layer);
  }

  /** All layers that do. */
  public Set<Integer> windowedLayers() {
    return IntStream.range(0, layers())
        .filter(this::isWindowed)
        .boxed()
        .collect(Collectors.toUnmodifiableSet());
  }

  /**
   * Whether visual tokens are there behind the projector only, so that nothing can be merged before
   * it: it joins patches itself, or gives DeepStack features besides.
   */
  public boolean joinsInProjector() {
    return takesPatches() || deepStackLevels > 0;
  }

  /** Names of the inputs. */
  public Set<String> inputs() {
    return graph.inputs().keySet();
  }

  /** How many axes the pixel values have. */
  public int inputRank() {
    return graph.inputs().get(PIXELS).getType().getTensorType().getShape().getDimCount();
  }

  /**
   * Whether the input is a list of patches in the order in which they are merged, rather than an
   * image.
   */
  public boolean takesPatches() {
    return inputRank() == PATCHES_RANK;
  }

  /** The length of an axis of the pixel values, or -1 where the graph leaves it open. */
  public long inputDimension(int dimension) {
    return graph.inputDimension(PIXELS, dimension);
  }

  /** Whether the file is used as it is where nothing is tapped; else {@link #withTaps} alone. */
  public boolean isWhole() {
    return isFloat32() && (deepStackLevels == 0 || !deepStack().packed());
  }

  private boolean isFloat32() {
    return pixelType() == GraphNodes.FLOAT;
  }

  private int pixelType() {
    return graph.inputs().get(PIXELS).getType().getTensorType().getElemType();
  }

  /**
   * The tower with taps, taking float32 pixels whatever the file takes. Each is an output {@link
   * TapNames#output} with the images in front of its axes. Where the tower {@linkplain
   * #takesPatches takes patches} or is {@linkplain #pooled pooled}, what there is of a visual token
   * is the mean over its patches.
   *
   * @param taps what is observed besides the features
   * @return the serialised model
   * @throws ModelException if a tensor that they look at is not in the tower, or is one of windows
   */
  public byte[] withTaps(Collection<Expression> taps) {
    ModelProto.Builder model = graph.model().toBuilder();
    GraphProto.Builder out = model.getGraphBuilder();
    GraphNodes nodes = new GraphNodes(out, graph.opset());
    if (!isFloat32()) {
      takeFloats(out);
    }
    if (deepStackLevels > 0) {
      deepStack().split(out, nodes, deepStackLevels, graph.types().of(deepStack().names().get(0)));
    }
    addTaps(out, nodes, taps);
    return model.build().toByteArray();
  }

  private void addTaps(GraphProto.Builder out, GraphNodes nodes, Collection<Expression> taps) {
    ExpressionWriter writer = new ExpressionWriter(nodes, new TowerTensors(this, graph, nodes));
    for (Expression tap : new LinkedHashSet<>(taps)) {
      writer.write(tap);
      out.addOutput(GraphNodes.shapeless(TapNames.output(tap), GraphNodes.FLOAT));
    }
  }

  /**
   * The tensor in which patches enter the projector: that of the first matrix after the last layer,
   * {@code [B, patches, width]}. Where four patches make one token they are joined already.
   *
   * @throws ModelException if the file holds no projector that takes each patch for itself
   */
  public String projectorInput() {
    String found = projectorInput;
    if (found == null) {
      found = findProjectorInput();
      projectorInput = found;
    }
    return found;
  }

  private String findProjectorInput() {
    if (joinsInProjector()) {
      throw new ModelException(
          "the projector of %s merges patches into visual tokens, so nothing can be merged before it; choose a strategy that merges after vision"
              .formatted(graph.file()));
    }
    return unflattened(firstMatrixInput());
  }

  /**
   * Width between the two matrices of the projector, 0 if it has only one; empty if it has others
   * or their sizes are not written down.
   */
  public OptionalInt projectorHidden() {
    List<Matrix> matrices = new ArrayList<>();
    int last = layers.isEmpty() ? 0 : layers.get(layers.size() - 1).get(0).node();
    for (int i = stream.nextSetBit(last); i >= 0; i = stream.nextSetBit(i + 1)) {
      Matrix.of(graph, graph.nodes().get(i)).ifPresent(matrices::add);
    }
    return switch (matrices.size()) {
      case 1 -> OptionalInt.of(0);
      case 2 -> OptionalInt.of(Math.toIntExact(matrices.get(1).rows()));
      default -> OptionalInt.empty();
    };
  }

  /**
   * The tensor in which merged patches enter the projector, {@code [tokens, patches * width]}, in
   * the order of the tower's layers.
   */
  String mergedPatches() {
    return firstMatrixInput();
  }

  /** What the first matrix after the last layer takes. */
  private String firstMatrixInput() {
    List<NodeProto> nodes = graph.nodes();
    int last = layers.isEmpty() ? 0 : layers.get(layers.size() - 1).get(0).node();
    for (int i = stream.nextSetBit(last); i >= 0; i = stream.nextSetBit(i + 1)) {
      NodeProto node = nodes.get(i);
      if (MATRICES.contains(node.getOpType())
          && dominators.reaches(graph.producer(Attributes.input(node, 0)))) {
        return Attributes.input(node, 0);
      }
    }
    throw new ModelException(
        "the vision tower of %s has no projector after its last layer, so nothing can be merged before it; choose a strategy that merges after vision"
            .formatted(graph.file()));
  }

  /** What a Gemm takes as a matrix, as it was before. */
  private String unflattened(String tensor) {
    NodeProto before = graph.nodes().get(graph.producer(tensor));
    boolean flattened =
        before.getOpType().equals("Reshape") && graph.ranks().of(tensor) == MATRIX_RANK;
    return flattened ? Attributes.input(before, 0) : tensor;
  }

  /**
   * The tower without its projector, with taps.
   *
   * @param taps what is observed besides {@link #projectorInput()}
   * @return the serialised model
   * @throws ModelException if there is no projector in the file, or a tap is refused
   */
  public byte[] tower(Collection<Expression> taps) {
    ModelProto.Builder model = graph.model().toBuilder();
    GraphProto.Builder out = model.getGraphBuilder();
    if (!isFloat32()) {
      takeFloats(out);
    }
    String patches = projectorInput();
    out.clearOutput();
    addTaps(out, new GraphNodes(out, graph.opset()), taps);
    out.addOutput(GraphNodes.shapeless(patches, graph.types().of(patches)));
    return model.setGraph(OnnxGraph.neededOnly(out)).build().toByteArray();
  }

  /** Name of the input of {@link #projector()} that takes all patches. */
  public String patchesInput() {
    return ProjectorSplit.arriving(projectorInput());
  }

  /**
   * The projector alone, after a merging seam: besides {@link #patchesInput()} it takes {@link
   * SegmentModel#KEEP}, {@link SegmentModel#MIX_SOURCES} and {@link SegmentModel#MIX_WEIGHTS},
   * which count through all images, and gives {@link #FEATURES}, one row per token kept.
   *
   * @return the serialised model
   * @throws ModelException if there is no projector in the file, or it reads more than the patches
   */
  public byte[] projector() {
    return new ProjectorSplit(graph, projectorInput()).projector();
  }

  private void takeFloats(GraphProto.Builder out) {
    String inside = "squint." + PIXELS;
    List<NodeProto> nodes = List.copyOf(out.getNodeList());
    out.clearNode();
    out.addNode(
        GraphNodes.node("Cast", List.of(PIXELS), inside)
            .setName(inside)
            .addAttribute(GraphNodes.integer("to", pixelType())));
    nodes.forEach(node -> out.addNode(GraphNodes.renamed(node, PIXELS, inside)));
    GraphNodes.declareFloat(out.getInputBuilderList(), PIXELS);
  }

  /** The attention of a layer that is not windowed. */
  AttentionSite site(int layer) {
    return layers.get(layer).get(0);
  }

  /**
   * Hidden states that enter a layer, {@code [B, tokens, width]}, or {@code [patches, width]} where
   * patches arrive.
   *
   * @throws ModelException if they are not found in this form
   */
  String hidden(int layer) {
    int node = stream.previousSetBit(site(layer).node());
    List<String> outputs =
        node < 0
            ? List.of()
            : graph.nodes().get(node).getOutputList().stream()
                .filter(output -> !output.isEmpty() && graph.isConsumed(output))
                .toList();
    int rank = outputs.isEmpty() ? 0 : graph.ranks().of(outputs.get(outputs.size() - 1));
    boolean formed = rank == 0 || rank == STATES_RANK || (takesPatches() && rank == MATRIX_RANK);
    if (outputs.isEmpty() || !formed) {
      throw new ModelException(
          "%s: the hidden states that enter vision layer %d were not found; choose a strategy that looks at features"
              .formatted(graph.file(), layer));
    }
    return outputs.get(outputs.size() - 1);
  }

  private String lastStates() {
    return takesPatches() ? firstMatrixInput() : projectorInput();
  }

  /** What enters the last matrix of a layer's feed-forward, {@code [B, tokens, neurons]}. */
  String activations(int layer) {
    String sum = layer + 1 < layers.size() ? hidden(layer + 1) : lastStates();
    return FeedForward.before(graph, sum, stream, imageNodes()).activations();
  }

  /** The order in which tokens that were sorted by window leave the tower. */
  Optional<String> lastReordering() {
    int last = layers.isEmpty() ? 0 : layers.get(layers.size() - 1).get(0).node();
    for (int i = stream.nextSetBit(last); i >= 0; i = stream.nextSetBit(i + 1)) {
      NodeProto node = graph.nodes().get(i);
      boolean tokens =
          node.getOpType().equals("Gather") && new Attributes(node).integer("axis", 0) == 0;
      if (tokens && !dominators.reaches(graph.producer(Attributes.input(node, 1)))) {
        return Optional.of(Attributes.input(node, 1));
      }
    }
    return Optional.empty();
  }
}
