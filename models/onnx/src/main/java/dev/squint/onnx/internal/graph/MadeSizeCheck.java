package dev.squint.onnx.internal.graph;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.squint.error.ModelException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/**
 * Whether a node makes much of little, where the file tells: operators that fill, repeat or count
 * up to a size that is written down. A size that is computed is bounded by the memory that ONNX
 * Runtime may take. It goes through the nodes of one graph in their order.
 */
final class MadeSizeCheck {

  /** A mask of 16,384 tokens against as many. */
  private static final long MOST_VALUES = 1L << 28;

  /** Operators whose output has at least as many values as any of their inputs. */
  private static final Set<String> KEEPING =
      Set.of(
          "Abs",
          "Add",
          "And",
          "Cast",
          "CastLike",
          "Ceil",
          "Concat",
          "Div",
          "Equal",
          "Flatten",
          "Floor",
          "Greater",
          "GreaterOrEqual",
          "Identity",
          "Less",
          "LessOrEqual",
          "Max",
          "Min",
          "Mod",
          "Mul",
          "Neg",
          "Not",
          "Or",
          "Pow",
          "Round",
          "Sign",
          "Squeeze",
          "Sub",
          "Transpose",
          "Unsqueeze",
          "Where",
          "Xor");

  private final Path file;
  private final Optional<MadeSizeCheck> around;
  private final WrittenNumbers numbers;

  /** Tensors of more values than a shape has axes. */
  private final Set<String> noShapes = new HashSet<>();

  /**
   * @param file the file, for messages
   * @param around that of the graph around
   * @param numbers what the graph has written down
   * @param graph the graph
   */
  MadeSizeCheck(
      Path file, Optional<MadeSizeCheck> around, WrittenNumbers numbers, GraphProto graph) {
    this.file = file;
    this.around = around;
    this.numbers = numbers;
    for (TensorProto weight : graph.getInitializerList()) {
      if (ElementSize.elements(weight).orElse(Long.MAX_VALUE) > WrittenNumbers.MOST) {
        noShapes.add(weight.getName());
      }
    }
  }

  /**
   * Checks a node of the graph.
   *
   * @throws ModelException if it makes a tensor that no model needs
   */
  void check(NodeProto node) {
    checkShape(node);
    switch (node.getOpType()) {
      case "ConstantOfShape" -> checkProduct(node, 0);
      case "Expand", "Tile", "OneHot" -> checkProduct(node, 1);
      case "Range" -> checkRange(node);
      case "Reshape" -> markAbove(node, product(node, 1));
      case "Gather" -> keep(node, 1);
      default -> {
        if (KEEPING.contains(node.getOpType())) {
          for (int i = 0; i < node.getInputCount(); i++) {
            keep(node, i);
          }
        }
      }
    }
  }

  /** The output has as many values as an input, or more. */
  private void keep(NodeProto node, int input) {
    if (isNoShape(Attributes.input(node, input))) {
      noShapes.add(Attributes.output(node, 0));
    }
  }

  private boolean isNoShape(String tensor) {
    return noShapes.contains(tensor) || around.map(check -> check.isNoShape(tensor)).orElse(false);
  }

  /** Millions of axes cost gigabytes before anybody finds that no tensor has them. */
  private void checkShape(NodeProto node) {
    for (int input : shapes(node.getOpType())) {
      if (isNoShape(Attributes.input(node, input))) {
        throw new ModelException(
            "%s: node %s takes a tensor of more than %d values as a shape or as axes; the file is damaged, export it again"
                .formatted(file, OnnxGraph.label(node), WrittenNumbers.MOST));
      }
    }
  }

  /** Inputs of an operator that hold a number for each axis. */
  private static int[] shapes(String operator) {
    return switch (operator) {
      case "ConstantOfShape" -> new int[] {0};
      case "Expand", "Tile", "Reshape", "Squeeze", "Unsqueeze", "Split", "CenterCropPad" ->
          new int[] {1};
      case "Slice" -> new int[] {1, 2, 3, 4};
      case "Pad" -> new int[] {1, 3};
      case "Resize" -> new int[] {1, 2, 3};
      default -> operator.startsWith("Reduce") ? new int[] {1} : new int[0];
    };
  }

  private void checkProduct(NodeProto node, int input) {
    bound(node, product(node, input));
  }

  private double product(NodeProto node, int input) {
    double values = 1;
    for (long size : numbers.all(Attributes.input(node, input)).orElse(new long[0])) {
      values *= Math.max(1, size);
    }
    return values;
  }

  private void checkRange(NodeProto node) {
    long from = numbers.one(Attributes.input(node, 0)).orElse(0L);
    long step = numbers.one(Attributes.input(node, 2)).orElse(1L);
    numbers
        .one(Attributes.input(node, 1))
        .ifPresent(to -> bound(node, step == 0 ? 0 : ((double) to - (double) from) / step));
  }

  private void bound(NodeProto node, double values) {
    if (values > MOST_VALUES) {
      throw new ModelException(
          "%s: node %s makes a tensor of more than %d values out of numbers in the file; export it with a shorter context or with open sizes"
              .formatted(file, OnnxGraph.label(node), MOST_VALUES));
    }
    markAbove(node, values);
  }

  private void markAbove(NodeProto node, double values) {
    if (values > WrittenNumbers.MOST) {
      noShapes.add(Attributes.output(node, 0));
    }
  }
}
