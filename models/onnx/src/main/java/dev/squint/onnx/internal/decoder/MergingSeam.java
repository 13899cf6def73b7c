package dev.squint.onnx.internal.decoder;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import dev.squint.error.ModelException;
import dev.squint.onnx.internal.graph.GraphNodes;
import dev.squint.onnx.internal.graph.OnnxGraph;
import java.util.ArrayList;
import java.util.List;

/**
 * Appends a seam that makes tokens out of several.
 *
 * @param nodes where to
 */
public record MergingSeam(GraphNodes nodes) {

  private static final int GAMMA = 2;
  private static final int BETA = 3;

  public static void declareInputs(GraphProto.Builder out) {
    out.addInput(GraphNodes.value(SegmentModel.MIX_SOURCES, GraphNodes.INT64, "mix_sources"));
    out.addInput(
        GraphNodes.value(SegmentModel.MIX_WEIGHTS, GraphNodes.FLOAT, "merged", "mix_sources"));
  }

  /**
   * The tokens of a tensor and after them the sums of some, computed in float32.
   *
   * @param tokens {@code [1, tokens, width]} or {@code [tokens, width]}
   * @param type its element type
   * @param axis that of the tokens
   * @return the same with {@code tokens + merged} tokens
   */
  public String extended(String tokens, int type, int axis) {
    String sources = nodes.gather(tokens, SegmentModel.MIX_SOURCES, axis);
    boolean isFloat = type == GraphNodes.FLOAT;
    String sums =
        nodes.op("MatMul", SegmentModel.MIX_WEIGHTS, isFloat ? sources : nodes.floats(sources));
    if (!isFloat) {
      String converted = nodes.fresh();
      nodes.cast(sums, type, converted);
      sums = converted;
    }
    return nodes.concat(axis, tokens, sums);
  }

  /**
   * Where the residual sum crosses a split together with its norm: computes the norm of the sums,
   * which the mix has changed.
   *
   * @param boundary norm and sum
   * @return the weights it takes
   * @throws ModelException if the norm is not of a known kind
   */
  List<String> normAnew(OnnxGraph graph, List<String> boundary) {
    NodeProto fused = graph.nodes().get(graph.producer(boundary.get(0)));
    String sum = boundary.get(boundary.size() - 1);
    if (plain(fused).isEmpty()) {
      throw new ModelException(
          "%s: tokens cannot be merged at node %s, whose residual sum crosses the split together with something that is no norm; choose a strategy that only drops tokens"
              .formatted(graph.file(), OnnxGraph.label(fused)));
    }
    nodes.add(norm(fused, sum, boundary.get(0)));
    return weights(fused);
  }

  /** The norm that is fused with a sum, as a node of its own. */
  static NodeProto.Builder norm(NodeProto fused, String sum, String output) {
    List<String> inputs = new ArrayList<>(List.of(sum));
    inputs.addAll(weights(fused));
    return GraphNodes.node(plain(fused), inputs, output)
        .addAttribute(GraphNodes.integer("axis", -1))
        .addAllAttribute(
            fused.getAttributeList().stream()
                .filter(attribute -> attribute.getName().equals("epsilon"))
                .toList());
  }

  /** The operator of the norm that is fused with a sum; empty if it is none. */
  static String plain(NodeProto fused) {
    return switch (fused.getOpType()) {
      case "SkipSimplifiedLayerNormalization" -> "SimplifiedLayerNormalization";
      case "SkipLayerNormalization" -> "LayerNormalization";
      default -> "";
    };
  }

  private static List<String> weights(NodeProto fused) {
    int end = fused.getOpType().equals("SkipLayerNormalization") ? BETA : GAMMA;
    return fused.getInputList().stream()
        .limit(end + 1L)
        .skip(GAMMA)
        .filter(name -> !name.isEmpty())
        .toList();
  }
}
