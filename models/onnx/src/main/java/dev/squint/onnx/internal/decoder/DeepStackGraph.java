package dev.squint.onnx.internal.decoder;

import ai.onnx.proto.OnnxMl.GraphProto;
import dev.squint.onnx.internal.graph.GraphNodes;
import dev.squint.onnx.internal.graph.StandaloneModel;
import java.util.List;

/**
 * The graph that lays DeepStack features on the rows of a sequence, in native memory: {@code
 * laid[visual_positions[i]] = features[keep_visual[i]]}, zeros elsewhere. Where tokens are merged,
 * weighted sums take part after the features themselves, as in {@link MergeGraph}.
 */
public final class DeepStackGraph {

  /** Input: int64 {@code [1]}, how many rows the sequence has. */
  public static final String ROWS = "rows";

  private DeepStackGraph() {}

  /** Input: the features of a level, {@code [..., width]}. */
  public static String level(int level) {
    return "level." + level;
  }

  /** Output: a level, or all of them. */
  public static String laid(int output) {
    return "laid." + output;
  }

  /**
   * Writes the graph. Besides {@link #ROWS} and the levels it takes {@link MergeGraph#KEEP_VISUAL}
   * and {@link MergeGraph#POSITIONS}.
   *
   * @param levels how many levels there are
   * @param width width of the hidden states
   * @param type ONNX element type of the features
   * @param packed whether one output {@code [levels, 1, rows, width]} holds all; else there is one
   *     {@code [1, rows, width]} a level, float32
   * @param merges whether there are the inputs {@link SegmentModel#MIX_SOURCES} and {@link
   *     SegmentModel#MIX_WEIGHTS}
   * @return the serialised model
   */
  public static byte[] build(int levels, long width, int type, boolean packed, boolean merges) {
    GraphProto.Builder graph = GraphProto.newBuilder().setName("squint-deepstack");
    GraphNodes nodes = new GraphNodes(graph, StandaloneModel.OPSET);
    graph
        .addInput(GraphNodes.value(ROWS, GraphNodes.INT64, 1L))
        .addInput(GraphNodes.value(MergeGraph.KEEP_VISUAL, GraphNodes.INT64, "visual"))
        .addInput(GraphNodes.value(MergeGraph.POSITIONS, GraphNodes.INT64, "visual", 1L));
    if (merges) {
      MergingSeam.declareInputs(graph);
    }
    String none =
        nodes.op(
            "Expand",
            nodes.reshape(nodes.scalar(0f), 1, 1),
            nodes.concat(0, ROWS, nodes.constant(width)));
    String[] laid = new String[levels];
    for (int level = 0; level < levels; level++) {
      graph.addInput(GraphNodes.shapeless(level(level), type));
      String features = nodes.floats(nodes.reshape(level(level), -1, width));
      String all =
          merges ? new MergingSeam(nodes).extended(features, GraphNodes.FLOAT, 0) : features;
      String kept = nodes.gather(all, MergeGraph.KEEP_VISUAL, 0);
      String rows = nodes.op("ScatterND", none, MergeGraph.POSITIONS, kept);
      laid[level] =
          packed ? nodes.reshape(rows, 1, 1, -1, width) : nodes.reshape(rows, 1, -1, width);
    }
    if (packed) {
      laid = new String[] {nodes.concat(0, laid)};
    }
    for (int output = 0; output < laid.length; output++) {
      nodes.op("Identity", List.of(laid[output]), laid(output));
      graph.addOutput(GraphNodes.shapeless(laid(output), GraphNodes.FLOAT));
    }
    return StandaloneModel.bytes(graph);
  }
}
