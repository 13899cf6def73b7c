package dev.squint.models.graph;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import dev.squint.models.ModelException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * A vision tower with its projector: pictures in, features out, attention of the [CLS] token on
 * request.
 */
public final class VisionGraph {

  /** Name of the input, shape {@code [B, 3, height, width]}. */
  public static final String PIXELS = "pixel_values";

  /** Name of the output, shape {@code [B, N, hidden]} or {@code [B * N, hidden]}. */
  public static final String FEATURES = "image_features";

  private final OnnxGraph graph;
  private final List<String> attention = new ArrayList<>();
  private final boolean hasCls;

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
    BitSet onPixels = graph.dependents(Set.of(PIXELS));
    boolean cls = false;
    for (int i = onPixels.nextSetBit(0); i >= 0; i = onPixels.nextSetBit(i + 1)) {
      NodeProto node = graph.nodes().get(i);
      if (node.getOpType().equals("Softmax")) {
        attention.add(node.getOutput(0));
      } else if (attention.isEmpty()) {
        cls |= prependsLearnedToken(node, onPixels);
      }
    }
    hasCls = cls;
  }

  /**
   * A Concat on the token axis of something that no pixel has a part in, with the patches behind
   * it.
   */
  private boolean prependsLearnedToken(NodeProto node, BitSet onPixels) {
    if (!node.getOpType().equals("Concat") || node.getInputCount() != 2) {
      return false;
    }
    boolean tokenAxis =
        node.getAttributeList().stream()
            .filter(a -> a.getName().equals("axis"))
            .mapToLong(AttributeProto::getI)
            .anyMatch(axis -> axis == 1 || axis == -2);
    int first = graph.producer(node.getInput(0));
    int second = graph.producer(node.getInput(1));
    return tokenAxis && (first < 0 || !onPixels.get(first)) && second >= 0 && onPixels.get(second);
  }

  /** Whether a learned [CLS] token stands before the patches, told from the graph. */
  public boolean hasCls() {
    return hasCls;
  }

  /** The number of encoder layers that the file holds and that therefore run. */
  public int layers() {
    return attention.size();
  }

  /** Height and width of the pictures, or -1 where the graph leaves it open. */
  public long inputDimension(int dimension) {
    return graph.inputDimension(PIXELS, dimension);
  }

  /**
   * Output name of a tap: float {@code [B, N]}, attention of [CLS] to the patches, averaged over
   * the heads.
   */
  public static String tapOutput(int layer) {
    return "tap.cls." + layer;
  }

  /**
   * The tower with taps.
   *
   * @param layers encoder layers whose [CLS] row is handed out, counted from 0
   * @return the serialised model
   * @throws ModelException if the tower has no [CLS] token or no such layer
   */
  public byte[] withTaps(Collection<Integer> layers) {
    if (!hasCls) {
      throw new ModelException(
          "the vision tower of %s has no [CLS] token, so its attention cannot be observed; choose a strategy that does not need it"
              .formatted(graph.file()));
    }
    ModelProto.Builder model = graph.model().toBuilder();
    GraphProto.Builder out = model.getGraphBuilder();
    GraphNodes nodes = new GraphNodes(out, graph.opset());
    for (int layer : new TreeSet<>(layers)) {
      if (layer < 0 || layer >= attention.size()) {
        throw new ModelException(
            "[CLS] attention of vision layer %d asked for, but %s has %d layers; choose 0..%d"
                .formatted(layer, graph.file(), attention.size(), attention.size() - 1));
      }
      String row = nodes.fresh();
      String cells = nodes.fresh();
      String floats = nodes.fresh();
      nodes.gather(attention.get(layer), nodes.constant(0), 2, row);
      nodes.op(
          "Slice",
          List.of(row, nodes.constant(1), nodes.constant(Long.MAX_VALUE), nodes.constant(3)),
          cells);
      nodes.cast(cells, GraphNodes.FLOAT, floats);
      nodes.mean(floats, tapOutput(layer), 1, 2);
      out.addOutput(GraphNodes.value(tapOutput(layer), GraphNodes.FLOAT, "", ""));
    }
    return model.build().toByteArray();
  }
}
