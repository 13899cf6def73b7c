package dev.squint.onnx.internal.vision;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.squint.error.ModelException;
import dev.squint.onnx.internal.attention.HeadSizes;
import dev.squint.onnx.internal.decoder.FeedForward;
import dev.squint.onnx.internal.graph.Attributes;
import dev.squint.onnx.internal.graph.Matrix;
import dev.squint.onnx.internal.graph.OnnxGraph;
import dev.squint.onnx.internal.graph.WrittenNumbers;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * What the graph of a vision tower tells of its sizes; -1 for what it does not.
 *
 * @param hidden width of the hidden states
 * @param heads attention heads
 * @param intermediate inner width of the MLP
 * @param patchSize side of a patch in pixels
 * @param positions learned positions, [CLS] included
 * @param beyondPatches how many more tokens than patches it returns, on images of any size: 1 where
 *     [CLS] goes with them, -1 where the first patch is left out. Empty where what happens to the
 *     tokens is not understood
 * @param declaredTokens tokens that it declares for an image, -1 where that is left open
 */
public record TowerSizes(
    long hidden,
    long heads,
    long intermediate,
    long patchSize,
    long positions,
    OptionalInt beyondPatches,
    long declaredTokens) {

  private static final int IMAGE_RANK = 4;
  private static final int FEATURES_RANK = 3;

  /** More than any tower makes of an image; what declares more is tried. */
  private static final int MOST_TOKENS = 1 << 20;

  static final Set<String> CONVOLUTIONS = Set.of("Conv", "FusedConv", "ConvInteger", "QLinearConv");

  /** What patches pass on their way to the first layer, besides the convolution that makes them. */
  private static final Set<String> BEFORE_LAYERS =
      Set.of(
          "Reshape",
          "Flatten",
          "Transpose",
          "Concat",
          "Add",
          "Sub",
          "Mul",
          "Div",
          "Cast",
          "Identity",
          "DynamicQuantizeLinear",
          "LayerNormalization",
          "SkipLayerNormalization",
          "EmbedLayerNormalization");

  /** What leaves every token where it is. */
  private static final Set<String> TOKEN_BY_TOKEN =
      Set.of(
          "Add",
          "Sub",
          "Mul",
          "Div",
          "Pow",
          "Sqrt",
          "Erf",
          "Tanh",
          "Sigmoid",
          "Relu",
          "Gelu",
          "FastGelu",
          "QuickGelu",
          "BiasGelu",
          "MatMul",
          "FusedMatMul",
          "MatMulNBits",
          "MatMulInteger",
          "MatMulIntegerToFloat",
          "DynamicQuantizeMatMul",
          "DynamicQuantizeLinear",
          "LayerNormalization",
          "SkipLayerNormalization",
          "SimplifiedLayerNormalization",
          "SkipSimplifiedLayerNormalization",
          "RMSNormalization",
          "Cast",
          "Identity");

  static TowerSizes of(OnnxGraph graph, VisionGraph tower, BitSet stream) {
    Optional<NodeProto> patches = patches(graph, tower.imageNodes());
    TensorProto kernel =
        patches.map(node -> graph.initializer(Attributes.input(node, 1))).orElse(null);
    boolean square = kernel != null && kernel.getDimsCount() == IMAGE_RANK;
    long hidden = square ? kernel.getDims(0) : -1;
    int attention = tower.firstAttention();
    long heads = attention < 0 ? -1 : HeadSizes.of(graph, attention, -1).heads();
    return new TowerSizes(
        hidden,
        heads,
        intermediate(graph, tower, stream),
        patches.map(node -> side(node, square ? kernel.getDims(2) : -1)).orElse(-1L),
        positions(graph, stream, attention, hidden),
        beyondPatches(graph, tower, stream, patches.isPresent()),
        declaredTokens(graph));
  }

  /** The only convolution, which splits an image into patches. */
  private static Optional<NodeProto> patches(OnnxGraph graph, BitSet images) {
    List<NodeProto> found =
        images.stream()
            .mapToObj(i -> graph.nodes().get(i))
            .filter(node -> CONVOLUTIONS.contains(node.getOpType()))
            .toList();
    return found.size() == 1 ? Optional.of(found.get(0)) : Optional.empty();
  }

  private static long side(NodeProto patches, long kernel) {
    Attributes attributes = new Attributes(patches);
    List<Long> strides = attributes.integers("strides");
    boolean apart = strides.size() == 2 && strides.get(0).equals(strides.get(1));
    boolean padded = attributes.integers("pads").stream().anyMatch(pad -> pad != 0);
    return apart && !padded && strides.get(0) > 0 && (kernel < 0 || kernel == strides.get(0))
        ? strides.get(0)
        : -1;
  }

  private static long intermediate(OnnxGraph graph, VisionGraph tower, BitSet stream) {
    int sum = tower.afterFirstLayer();
    if (sum < 0) {
      return -1;
    }
    try {
      String output = Attributes.output(graph.nodes().get(sum), 0);
      FeedForward found = FeedForward.before(graph, output, stream, tower.imageNodes());
      return Matrix.after(graph, found.activations()).map(Matrix::rows).orElse(-1L);
    } catch (ModelException e) {
      // Its MLP is written in a way not known here; its config may tell the size.
      return -1;
    }
  }

  /** The table that is added to the tokens before the first layer. */
  private static long positions(OnnxGraph graph, BitSet stream, int attention, long hidden) {
    for (int i = stream.nextSetBit(0); i >= 0 && i < attention; i = stream.nextSetBit(i + 1)) {
      NodeProto node = graph.nodes().get(i);
      if (node.getOpType().equals("Add")) {
        for (String input : node.getInputList()) {
          TensorProto table = graph.initializer(input);
          int producer = graph.producer(input);
          if (producer >= 0 && graph.nodes().get(producer).getOpType().equals("Gather")) {
            table = graph.initializer(Attributes.input(graph.nodes().get(producer), 0));
          }
          int rank = table == null ? 0 : table.getDimsCount();
          if (rank >= 2 && table.getDims(rank - 1) == hidden && table.getDims(rank - 2) > 1) {
            return table.getDims(rank - 2);
          }
        }
      }
    }
    return -1;
  }

  private static OptionalInt beyondPatches(
      OnnxGraph graph, VisionGraph tower, BitSet stream, boolean inPatches) {
    int attention = tower.firstAttention();
    if (!inPatches || attention < 0) {
      return OptionalInt.empty();
    }
    WrittenNumbers numbers = WrittenNumbers.in(Optional.empty(), graph.model().getGraph());
    int beyond = 0;
    for (int i = stream.nextSetBit(0); i >= 0; i = stream.nextSetBit(i + 1)) {
      NodeProto node = graph.nodes().get(i);
      String operator = node.getOpType();
      if (i < attention) {
        boolean known = CONVOLUTIONS.contains(operator) || BEFORE_LAYERS.contains(operator);
        if (!known) {
          return OptionalInt.empty();
        }
        beyond += operator.equals("Concat") ? 1 : 0;
      } else if (leavesOutFirst(node, numbers)) {
        beyond--;
      } else if (!TOKEN_BY_TOKEN.contains(operator)) {
        return OptionalInt.empty();
      }
    }
    // One token before the patches, or none; several would be registers, whose number is not known.
    return beyond + 1 < 0 || beyond > (tower.hasCls() ? 1 : 0)
        ? OptionalInt.empty()
        : OptionalInt.of(beyond);
  }

  private static boolean leavesOutFirst(NodeProto node, WrittenNumbers numbers) {
    return node.getOpType().equals("Slice")
        && numbers.one(Attributes.input(node, 1)).filter(start -> start == 1).isPresent()
        && numbers
            .one(Attributes.input(node, 2))
            .filter(end -> end >= Integer.MAX_VALUE)
            .isPresent()
        && numbers
            .one(Attributes.input(node, 3))
            .filter(axis -> axis == 1 || axis == -2)
            .isPresent()
        && numbers.one(Attributes.input(node, 4)).orElse(1L) == 1;
  }

  private static long declaredTokens(OnnxGraph graph) {
    ValueInfoProto features = graph.outputs().get(VisionGraph.FEATURES);
    var shape = features.getType().getTensorType().getShape();
    return shape.getDimCount() == FEATURES_RANK && shape.getDim(1).getDimValue() > 0
        ? shape.getDim(1).getDimValue()
        : -1;
  }

  /**
   * How many tokens an image becomes, as far as the graph tells.
   *
   * @param patches its patches
   */
  public OptionalInt tokens(int patches) {
    if (declaredTokens > 0 && declaredTokens <= MOST_TOKENS) {
      return OptionalInt.of((int) declaredTokens);
    }
    return beyondPatches.isPresent()
        ? OptionalInt.of(patches + beyondPatches.getAsInt())
        : OptionalInt.empty();
  }
}
