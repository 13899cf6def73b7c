package dev.squint.onnx.internal.observe;

import dev.squint.onnx.internal.attention.FusedAttention;
import dev.squint.onnx.internal.graph.GraphNodes;
import dev.squint.pruning.observe.Algebra;
import dev.squint.pruning.observe.Axis;
import dev.squint.pruning.observe.Binary;
import dev.squint.pruning.observe.Choose;
import dev.squint.pruning.observe.Constant;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Leaf;
import dev.squint.pruning.observe.Reduce;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.observe.TopMask;
import dev.squint.pruning.observe.Unary;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

/**
 * Appends the nodes of expressions to a graph; what several have in common is computed once. Every
 * tensor has a batch axis in front of the axes of its expression.
 */
public final class ExpressionWriter implements Algebra<ExpressionWriter.Value> {

  private final GraphNodes nodes;
  private final Tensors tensors;
  private final Map<String, Value> built = new HashMap<>();

  public ExpressionWriter(GraphNodes nodes, Tensors tensors) {
    this.nodes = nodes;
    this.tensors = tensors;
  }

  /** Finds the named tensors of a graph. */
  public interface Tensors {

    /** A named tensor, float32, the rows wanted only. */
    String leaf(Leaf leaf);

    /**
     * Some of all tokens.
     *
     * @param axis the axis that counts them, the batch being 0
     */
    String choose(String tensor, int axis, Rows rows);
  }

  /**
   * What an expression was made into.
   *
   * @param tensor its name
   * @param mask whether it is boolean rather than float32
   */
  record Value(String tensor, boolean mask) {

    static Value of(String tensor) {
      return new Value(tensor, false);
    }
  }

  /** Appends an expression; the tensor is {@link TapNames#output}. */
  public void write(Expression expression) {
    String tensor = floats(expression.build(this, built));
    String output = TapNames.output(expression);
    if (expression.unnamed() instanceof Leaf || !nodes.rename(tensor, output)) {
      nodes.identity(tensor, output);
    } else {
      built.replaceAll((text, value) -> value.tensor().equals(tensor) ? Value.of(output) : value);
    }
  }

  private String floats(Value value) {
    return value.mask() ? nodes.floats(value.tensor()) : value.tensor();
  }

  /** Axes with the batch. */
  private static int rank(Expression expression) {
    return expression.axes().size() + 1;
  }

  @Override
  public Value leaf(Leaf leaf) {
    return Value.of(tensors.leaf(leaf));
  }

  @Override
  public Value constant(Constant constant) {
    return Value.of(nodes.scalar(constant.value()));
  }

  @Override
  public Value unary(Unary node, Value of) {
    String tensor = floats(of);
    return Value.of(
        switch (node.function()) {
          case NEGATE -> nodes.op("Neg", tensor);
          case SQRT -> nodes.op("Sqrt", tensor);
          case EXP -> nodes.op("Exp", tensor);
          case LOG -> nodes.op("Log", tensor);
          case ABS -> nodes.op("Abs", tensor);
          case RELU -> nodes.op("Relu", tensor);
          case ROUND -> nodes.op("Round", tensor);
          case SOFTMAX -> nodes.softmax(tensor);
          case NORMALISE -> nodes.normalised(tensor, rank(node));
          case TRANSPOSE -> transposed(tensor, rank(node));
          case JOIN_HEADS -> joined(nodes.transpose(tensor, 0, 2, 1, 3));
        });
  }

  private String transposed(String tensor, int rank) {
    long[] axes = LongStream.range(0, rank).toArray();
    axes[rank - 2] = rank - 1L;
    axes[rank - 1] = rank - 2L;
    return nodes.transpose(tensor, axes);
  }

  /** {@code [B, tokens, heads, width]} to {@code [B, tokens, heads * width]}, also of no tokens. */
  private String joined(String apart) {
    String shape = nodes.op("Shape", apart);
    String width = nodes.op("Mul", nodes.slice(shape, 2, 3, 0), nodes.slice(shape, 3, 4, 0));
    return nodes.op("Reshape", apart, nodes.concat(0, nodes.slice(shape, 0, 2, 0), width));
  }

  @Override
  public Value binary(Binary node, Value first, Value second) {
    if (node.function() == Binary.Function.MATMUL) {
      return Value.of(product(node, floats(first), floats(second)));
    }
    boolean both = node.function() == Binary.Function.MUL && first.mask() && second.mask();
    List<Axis> axes = node.axes();
    String one = aligned(both ? first.tensor() : floats(first), node.first(), axes);
    String other = aligned(both ? second.tensor() : floats(second), node.second(), axes);
    String type =
        switch (node.function()) {
          case ADD -> "Add";
          case SUB -> "Sub";
          case MUL -> both ? "And" : "Mul";
          case DIV -> "Div";
          case MAX -> "Max";
          case MIN -> "Min";
          case GREATER -> "Greater";
          case LESS -> "Less";
          case MATMUL -> throw new IllegalStateException(node.canonical());
        };
    return new Value(nodes.op(type, one, other), both || node.isMask());
  }

  private String product(Binary node, String first, String second) {
    int rank = rank(node.first());
    if (node.second().axes().size() > 1) {
      return node.isGrouped()
          ? FusedAttention.grouped(nodes, first, second)
          : nodes.op("MatMul", first, second);
    }
    long[] missing = LongStream.rangeClosed(1, rank - 2).toArray();
    missing[rank - 3] = rank - 1L;
    return nodes.squeeze(nodes.op("MatMul", first, nodes.unsqueeze(second, missing)), rank - 1);
  }

  /** With axes of length 1 where it is repeated. */
  private String aligned(String tensor, Expression expression, List<Axis> axes) {
    long[] missing =
        Binary.missing(axes, expression.axes()).stream().mapToLong(axis -> axis + 1).toArray();
    boolean number = expression.leaves().findAny().isEmpty();
    return number || missing.length == 0 ? tensor : nodes.unsqueeze(tensor, missing);
  }

  @Override
  public Value reduce(Reduce node, Value of) {
    String type =
        switch (node.function()) {
          case SUM -> "ReduceSum";
          case MEAN -> "ReduceMean";
          case MAX -> "ReduceMax";
          case MIN -> "ReduceMin";
          case NORM -> "ReduceL2";
        };
    String output = nodes.fresh();
    nodes.reduce(
        type, floats(of), output, node.places().stream().mapToLong(place -> place + 1).toArray());
    return Value.of(output);
  }

  @Override
  public Value choose(Choose node, Value of) {
    return Value.of(tensors.choose(floats(of), node.place() + 1, node.rows()));
  }

  @Override
  public Value top(TopMask node, Value of) {
    String tensor = floats(of);
    String count = count(nodes.floats(nodes.size(tensor, rank(node) - 1)), node.share());
    List<String> highest = List.of(nodes.fresh(), nodes.fresh());
    nodes.add(
        GraphNodes.node("TopK", List.of(tensor, count), highest.get(0))
            .addOutput(highest.get(1))
            .addAttribute(GraphNodes.integer("axis", -1)));
    if (node.ties() == TopMask.Ties.ALL) {
      String least = nodes.slice(highest.get(0), -1, Long.MAX_VALUE, rank(node) - 1);
      return new Value(nodes.op("Not", nodes.op("Less", tensor, least)), true);
    }
    String none = nodes.op("ConstantOfShape", nodes.op("Shape", tensor));
    String ones = nodes.op("Expand", nodes.scalar(1f), nodes.op("Shape", highest.get(1)));
    String mask = nodes.fresh();
    nodes.add(
        GraphNodes.node("ScatterElements", List.of(none, highest.get(1), ones), mask)
            .addAttribute(GraphNodes.integer("axis", rank(node) - 1)));
    return Value.of(mask);
  }

  /** {@code max(1, rint(count * share))}, int64 {@code [1]}. */
  private String count(String count, double share) {
    String part = nodes.op("Round", nodes.op("Mul", count, nodes.scalar((float) share)));
    String whole = nodes.fresh();
    nodes.cast(nodes.op("Max", part, nodes.scalar(1f)), GraphNodes.INT64, whole);
    return nodes.reshape(whole, 1);
  }
}
