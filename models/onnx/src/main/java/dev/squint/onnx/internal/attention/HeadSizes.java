package dev.squint.onnx.internal.attention;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.squint.onnx.internal.graph.Attributes;
import dev.squint.onnx.internal.graph.GraphNodes;
import dev.squint.onnx.internal.graph.Matrix;
import dev.squint.onnx.internal.graph.OnnxGraph;
import java.util.Optional;

/**
 * How the attention of a layer is shared out among heads, as far as its node and the matrix after
 * it tell; -1 for what they do not.
 *
 * @param heads query heads
 * @param kvHeads heads of keys and values
 * @param headDim width of a head
 */
public record HeadSizes(long heads, long kvHeads, long headDim) {

  /**
   * Reads them.
   *
   * @param node the attention
   * @param headDim width of a head if it is known, else -1
   */
  public static HeadSizes of(OnnxGraph graph, int node, long headDim) {
    Attributes attention = new Attributes(graph.nodes().get(node));
    long heads = -1;
    long kvHeads = -1;
    switch (attention.node().getOpType()) {
      case "GroupQueryAttention":
        heads = attention.integer("num_heads", -1);
        kvHeads = attention.integer("kv_num_heads", -1);
        break;
      case "MultiHeadAttention":
        heads = attention.integer("num_heads", -1);
        kvHeads = heads;
        break;
      case "Attention":
        boolean fused = attention.node().getDomain().equals(GraphNodes.MICROSOFT);
        heads = attention.integer(fused ? "num_heads" : "q_num_heads", -1);
        kvHeads = fused ? heads : attention.integer("kv_num_heads", -1);
        break;
      default:
        break;
    }
    long width = joined(graph, attention.node()).map(Matrix::rows).orElse(-1L);
    long found = headDim;
    if (found <= 0 && heads > 0 && width > 0 && width % heads == 0) {
      found = width / heads;
    }
    if (heads <= 0 && found > 0 && width > 0 && width % found == 0) {
      heads = width / found;
    }
    return new HeadSizes(positive(heads), positive(kvHeads), positive(found));
  }

  /** The matrix that what the heads give, side by side, is multiplied by. */
  private static Optional<Matrix> joined(OnnxGraph graph, NodeProto attention) {
    String output = Attributes.output(attention, 0);
    return output.isEmpty() ? Optional.empty() : Matrix.after(graph, output);
  }

  private static long positive(long size) {
    return size > 0 ? size : -1;
  }
}
