package dev.squint.models.graph;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import dev.squint.models.ModelException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A vision tower, with or without its projector: pictures in, features out, attention on request.
 *
 * <p>Its layers are told apart by the residual stream: attention that hangs on the same point of it
 * belongs to the same layer. Where a layer attends within windows, each window is an attention of
 * its own and none of them sees the whole picture.
 */
public final class VisionGraph {

  /**
   * Name of the input, shape {@code [B, 3, height, width]}, or {@code [patches, values]} where
   * patches are cut before.
   */
  public static final String PIXELS = "pixel_values";

  /** Name of the output, shape {@code [B, N, hidden]} or {@code [B * N, hidden]}. */
  public static final String FEATURES = "image_features";

  private static final int PATCHES_RANK = 2;
  private static final int MATRIX_RANK = 2;

  /** Matrices, or what rounds to integers before one. */
  private static final Set<String> MATRICES =
      Set.of("MatMul", "Gemm", "MatMulNBits", "DynamicQuantizeLinear", "DynamicQuantizeMatMul");

  private final OnnxGraph graph;
  private final Dominators dominators;
  private final BitSet stream;
  private final List<List<AttentionSite>> layers;
  private final boolean hasCls;
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
    return dominators.reaches(features) ? dominators.chain(features) : new BitSet();
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
   * A Concat on the token axis of something that no pixel has a part in, with the patches behind
   * it.
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

  /** The node of the residual stream behind the first layer, -1 if there is no second one. */
  int behindFirstLayer() {
    return layers.size() < 2 ? -1 : stream.previousSetBit(layers.get(1).get(0).node());
  }

  /** Nodes that pictures flow through. */
  BitSet pictureNodes() {
    return graph.dependents(Set.of(PIXELS));
  }

  /** The number of encoder layers that the file holds and that therefore run. */
  public int layers() {
    return layers.size();
  }

  /** How attention is encoded, for people. */
  public Set<String> encodings() {
    Set<String> encodings = new LinkedHashSet<>();
    layers.forEach(sites -> sites.forEach(site -> encodings.add(site.encoding())));
    return encodings;
  }

  /** Whether a layer attends within windows of the picture only. */
  public boolean isWindowed(int layer) {
    return layers.get(layer).size() > 1;
  }

  /** Names of the inputs. */
  public Set<String> inputs() {
    return graph.inputs().keySet();
  }

  /**
   * Whether the input is a list of patches in the order in which they are merged, rather than a
   * picture.
   */
  public boolean takesPatches() {
    return graph.inputs().get(PIXELS).getType().getTensorType().getShape().getDimCount()
        == PATCHES_RANK;
  }

  /** Channels, height or width of the pictures, or -1 where the graph leaves it open. */
  public long inputDimension(int dimension) {
    return graph.inputDimension(PIXELS, dimension);
  }

  /** Whether pixels and features are float32; else the graph is used {@link #withTaps} alone. */
  public boolean isFloat32() {
    return pixelType() == GraphNodes.FLOAT;
  }

  private int pixelType() {
    return graph.inputs().get(PIXELS).getType().getTensorType().getElemType();
  }

  /**
   * The tower with taps, taking float32 pixels whatever the file takes. Attention has one value per
   * patch, {@code [B, patches]}; of a tower that {@linkplain #takesPatches takes patches} one per
   * visual token, {@code [1, N]}, the mean of its patches.
   *
   * @param taps what is handed out besides the features
   * @return the serialised model
   * @throws ModelException if the tower has no [CLS] token, no such layer, or attends within
   *     windows there
   */
  public byte[] withTaps(Collection<VisionTap> taps) {
    ModelProto.Builder model = graph.model().toBuilder();
    GraphProto.Builder out = model.getGraphBuilder();
    GraphNodes nodes = new GraphNodes(out, graph.opset());
    if (!isFloat32()) {
      takeFloats(out);
    }
    addTaps(out, nodes, taps);
    return model.build().toByteArray();
  }

  private void addTaps(GraphProto.Builder out, GraphNodes nodes, Collection<VisionTap> taps) {
    for (VisionTap tap : new LinkedHashSet<>(taps)) {
      if (tap.kind().compares()) {
        nodes.identity(cosines(nodes, vectors(nodes, tap)), tap.output());
        out.addOutput(GraphNodes.value(tap.output(), GraphNodes.FLOAT, "", "", ""));
      } else {
        String patches = patches(nodes, tap, site(tap));
        nodes.identity(takesPatches() ? perToken(nodes, patches) : patches, tap.output());
        out.addOutput(GraphNodes.value(tap.output(), GraphNodes.FLOAT, "", ""));
      }
    }
  }

  /** What is compared, {@code [B, patches, width]}. */
  private String vectors(GraphNodes nodes, VisionTap tap) {
    if (takesPatches()) {
      throw new ModelException(
          "the vision tower of %s merges patches into visual tokens, so they cannot be compared in it; choose a strategy that compares projected features"
              .formatted(graph.file()));
    }
    if (tap.kind() == VisionTap.Kind.FEATURES) {
      return nodes.floats(projectorInput());
    }
    String keys = site(tap).keys(graph, nodes);
    String joined;
    if (tap.kind() == VisionTap.Kind.MEAN_KEYS) {
      joined = nodes.fresh();
      nodes.mean(keys, joined, 1);
    } else {
      joined = nodes.reshape(nodes.transpose(keys, 0, 2, 1, 3), 0, 0, -1);
    }
    return hasCls ? nodes.slice(joined, 1, Long.MAX_VALUE, 1) : joined;
  }

  private static String cosines(GraphNodes nodes, String vectors) {
    String unit = nodes.unit(vectors, 3);
    String width = nodes.floats(nodes.size(vectors, 2));
    return nodes.op("MatMul", unit, nodes.transpose(nodes.op("Div", unit, width), 0, 2, 1));
  }

  /**
   * The tensor in which patches enter the projector: that of the first matrix behind the last
   * layer, {@code [B, patches, width]}. Where four patches make one token they are joined already.
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
    if (takesPatches()) {
      throw new ModelException(
          "the projector of %s merges patches into visual tokens, so nothing can be merged before it; choose a strategy that merges after vision"
              .formatted(graph.file()));
    }
    List<NodeProto> nodes = graph.nodes();
    int last = layers.isEmpty() ? 0 : layers.get(layers.size() - 1).get(0).node();
    for (int i = stream.nextSetBit(last); i >= 0; i = stream.nextSetBit(i + 1)) {
      NodeProto node = nodes.get(i);
      if (MATRICES.contains(node.getOpType())
          && dominators.reaches(graph.producer(Attributes.input(node, 0)))) {
        return unflattened(Attributes.input(node, 0));
      }
    }
    throw new ModelException(
        "the vision tower of %s has no projector behind its last layer, so nothing can be merged before it; choose a strategy that merges after vision"
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
   * @param taps what is handed out besides {@link #projectorInput()}
   * @return the serialised model
   * @throws ModelException if there is no projector in the file, or a tap is refused
   */
  public byte[] tower(Collection<VisionTap> taps) {
    ModelProto.Builder model = graph.model().toBuilder();
    GraphProto.Builder out = model.getGraphBuilder();
    if (!isFloat32()) {
      takeFloats(out);
    }
    String patches = projectorInput();
    out.clearOutput();
    addTaps(out, new GraphNodes(out, graph.opset()), taps);
    out.addOutput(GraphNodes.shapeless(patches, graph.types().of(patches)));
    return model.setGraph(ProjectorCut.neededOnly(out)).build().toByteArray();
  }

  /** Name of the input of {@link #projector()} that takes all patches. */
  public String patchesInput() {
    return ProjectorCut.arriving(projectorInput());
  }

  /**
   * The projector alone, behind a merging seam: besides {@link #patchesInput()} it takes {@link
   * SegmentModel#KEEP}, {@link SegmentModel#MIX_SOURCES} and {@link SegmentModel#MIX_WEIGHTS},
   * which count through all pictures, and gives {@link #FEATURES}, one row per token kept.
   *
   * @return the serialised model
   * @throws ModelException if there is no projector in the file, or it reads more than the patches
   */
  public byte[] projector() {
    return new ProjectorCut(graph, projectorInput()).projector();
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

  private AttentionSite site(VisionTap tap) {
    int layer = tap.layer();
    if (tap.kind() == VisionTap.Kind.CLS && !hasCls) {
      throw new ModelException(
          "the vision tower of %s has no [CLS] token, so its attention cannot be observed; choose a strategy that does not need it"
              .formatted(graph.file()));
    }
    if (layer < 0 || layer >= layers.size()) {
      throw new ModelException(
          "attention of vision layer %d asked for, but %s has %d layers; choose 0..%d"
              .formatted(layer, graph.file(), layers.size(), layers.size() - 1));
    }
    if (isWindowed(layer)) {
      throw new ModelException(
          "vision layer %d of %s attends within windows, so no token sees the whole picture there; choose a layer with full attention"
              .formatted(layer, graph.file()));
    }
    return layers.get(layer).get(0);
  }

  /** Attention per patch, {@code [B, patches]}. */
  private String patches(GraphNodes nodes, VisionTap tap, AttentionSite site) {
    boolean cls = tap.kind() == VisionTap.Kind.CLS;
    String rows =
        cls
            ? nodes.constant(0)
            : nodes.op("Range", nodes.scalar(0), site.tokens(nodes), nodes.scalar(1));
    String all = nodes.fresh();
    nodes.mean(site.probabilities(nodes, rows), all, 1, 2);
    return hasCls ? nodes.slice(all, 1, Long.MAX_VALUE, 1) : all;
  }

  /** Attention per visual token, the mean of its patches, in the order of the features. */
  private String perToken(GraphNodes nodes, String patches) {
    String tokens = nodes.size(FEATURES, 0);
    String groups =
        nodes.op("Reshape", patches, nodes.concat(0, nodes.reshape(tokens, 1), nodes.constant(-1)));
    String means = nodes.fresh();
    nodes.mean(groups, means, 1);
    String ordered = lastReordering().map(order -> nodes.gather(means, order, 0)).orElse(means);
    return nodes.reshape(ordered, 1, -1);
  }

  /** The order in which tokens that were sorted by window leave the tower. */
  private Optional<String> lastReordering() {
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
