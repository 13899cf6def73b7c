package dev.squint.onnx.internal.graph;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import java.util.OptionalLong;

/**
 * How large a result may be that ONNX Runtime computes from weights alone while it opens a graph,
 * and keeps. Exports need that for weights in another type or order, which are at most four times
 * as large; a graph of a few hundred bytes could ask for a gigabyte per node. What is larger is
 * computed on each run.
 */
public final class FoldingLimit {

  /** Masks and tables of positions are made of nothing. */
  private static final long LEAST = 64L << 20;

  /** The limit of ONNX Runtime 1.29 itself. */
  private static final long MOST = 1L << 30;

  private static final int WIDER = 4;

  private FoldingLimit() {}

  /**
   * The limit for one graph.
   *
   * @param model a model, its weights inside of it or not
   * @return bytes
   */
  public static long of(ModelProto model) {
    long largest = 0;
    for (TensorProto weight : model.getGraph().getInitializerList()) {
      int bits = Math.max(0, ElementSize.bits(weight.getDataType()));
      OptionalLong elements = ElementSize.elements(weight);
      if (elements.isPresent()) {
        largest = Math.max(largest, ElementSize.bytes(elements.getAsLong(), bits).orElse(MOST));
      }
    }
    return Math.max(LEAST, Math.min(MOST / WIDER, largest) * WIDER);
  }
}
