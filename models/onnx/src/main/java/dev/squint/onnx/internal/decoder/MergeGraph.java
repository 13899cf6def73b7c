package dev.squint.onnx.internal.decoder;

import ai.onnx.proto.OnnxMl.GraphProto;
import dev.squint.onnx.internal.graph.GraphNodes;
import dev.squint.onnx.internal.graph.StandaloneModel;
import java.util.Arrays;
import java.util.List;

/**
 * The graph that puts image features in the place of the image placeholders, so that neither passes
 * through the Java heap: {@code merged[visual_positions[i]] = image_features[keep_visual[i]]}.
 * Where tokens are merged, weighted sums of features take part after the features themselves.
 */
public final class MergeGraph {

  /** Input: text embeddings {@code [1, n, hidden]}. */
  public static final String TEXT = "text_embeds";

  /** Input: features of all visual tokens, {@code [..., hidden]}. */
  public static final String FEATURES = "image_features";

  /** Input: int64 {@code [N]}, which visual tokens are used. */
  public static final String KEEP_VISUAL = "keep_visual";

  /** Input: int64 {@code [N, 1]}, the row each of them takes. */
  public static final String POSITIONS = "visual_positions";

  /** Output: {@code [1, n, hidden]}. */
  public static final String MERGED = "inputs_embeds";

  private MergeGraph() {}

  /**
   * Writes the graph.
   *
   * @param width the hidden size of the decoder
   * @param textType ONNX element type of the text embeddings, which the result has too
   * @param featureType ONNX element type of the image features
   * @param featureRank how many dimensions the image features have
   * @param merges whether there are the inputs {@link SegmentModel#MIX_SOURCES} and {@link
   *     SegmentModel#MIX_WEIGHTS}
   * @return the serialised model
   */
  public static byte[] build(
      long width, int textType, int featureType, int featureRank, boolean merges) {
    GraphProto.Builder graph = GraphProto.newBuilder().setName("squint-merge");
    GraphNodes nodes = new GraphNodes(graph, StandaloneModel.OPSET);
    Object[] open = new Object[featureRank];
    Arrays.fill(open, "");
    graph
        .addInput(GraphNodes.value(TEXT, textType, 1L, "tokens", width))
        .addInput(GraphNodes.value(FEATURES, featureType, open))
        .addInput(GraphNodes.value(KEEP_VISUAL, GraphNodes.INT64, "visual"))
        .addInput(GraphNodes.value(POSITIONS, GraphNodes.INT64, "visual", 1L));
    String rows = nodes.constant(-1, width);
    String text = nodes.fresh();
    String features = nodes.fresh();
    String kept = nodes.fresh();
    String cast = nodes.fresh();
    String merged = nodes.fresh();
    nodes.op("Reshape", List.of(TEXT, rows), text);
    nodes.op("Reshape", List.of(FEATURES, rows), features);
    if (merges) {
      MergingSeam.declareInputs(graph);
    }
    String all = merges ? new MergingSeam(nodes).extended(features, featureType, 0) : features;
    nodes.gather(all, KEEP_VISUAL, 0, kept);
    nodes.cast(kept, textType, cast);
    nodes.op("ScatterND", List.of(text, POSITIONS, cast), merged);
    nodes.op("Reshape", List.of(merged, nodes.constant(1, -1, width)), MERGED);
    graph.addOutput(GraphNodes.value(MERGED, textType, 1L, "tokens", width));
    return StandaloneModel.bytes(graph);
  }
}
