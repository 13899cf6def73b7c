package dev.squint.onnx.internal.graph;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.ByteString;
import java.util.Arrays;
import java.util.List;

/**
 * Appends nodes of our own to a graph; every name starts with {@code squint.} so that it meets no
 * exporter's name. Methods that return a name return that of the tensor they compute.
 */
public final class GraphNodes {

  public static final int FLOAT = TensorProto.DataType.FLOAT.getNumber();
  public static final int INT64 = TensorProto.DataType.INT64.getNumber();
  public static final String MICROSOFT = "com.microsoft";

  private static final int AXES_ARE_INPUTS = 18;
  private static final int SOME_AXES_ARE_INPUTS = 13;
  private static final float LEAST_NORM = 1e-20f;

  private final GraphProto.Builder graph;
  private final int opset;
  private int count;

  public GraphNodes(GraphProto.Builder graph, int opset) {
    this.graph = graph;
    this.opset = opset;
  }

  public int opset() {
    return opset;
  }

  /** A vector. */
  public String constant(long... values) {
    String name = fresh();
    graph.addInitializer(
        TensorProto.newBuilder()
            .setName(name)
            .setDataType(INT64)
            .addDims(values.length)
            .addAllInt64Data(Arrays.stream(values).boxed().toList()));
    return name;
  }

  /** A tensor without axes. */
  public String scalar(long value) {
    String name = fresh();
    graph.addInitializer(
        TensorProto.newBuilder().setName(name).setDataType(INT64).addInt64Data(value));
    return name;
  }

  /** A tensor without axes. */
  public String scalar(float value) {
    String name = fresh();
    graph.addInitializer(
        TensorProto.newBuilder().setName(name).setDataType(FLOAT).addFloatData(value));
    return name;
  }

  public String fresh() {
    return "squint." + count++;
  }

  public void gather(String data, String indices, int axis, String output) {
    add(node("Gather", List.of(data, indices), output).addAttribute(integer("axis", axis)));
  }

  public String gather(String data, String indices, int axis) {
    String output = fresh();
    gather(data, indices, axis, output);
    return output;
  }

  public void identity(String input, String output) {
    op("Identity", List.of(input), output);
  }

  public void op(String type, List<String> inputs, String output) {
    add(node(type, inputs, output));
  }

  public String op(String type, String... inputs) {
    String output = fresh();
    op(type, List.of(inputs), output);
    return output;
  }

  public void cast(String input, int type, String output) {
    add(node("Cast", List.of(input), output).addAttribute(integer("to", type)));
  }

  public String floats(String input) {
    String output = fresh();
    cast(input, FLOAT, output);
    return output;
  }

  /** Sizes: a positive number, 0 for the size of the input's axis, -1 for what is left. */
  public String reshape(String input, long... sizes) {
    return op("Reshape", input, constant(sizes));
  }

  public String transpose(String input, long... axes) {
    String output = fresh();
    add(node("Transpose", List.of(input), output).addAttribute(integers("perm", axes)));
    return output;
  }

  public String slice(String input, long from, long to, long axis) {
    return op("Slice", input, constant(from), constant(to), constant(axis));
  }

  /** Sets an input of a node; those before it that the node lacks are left out. */
  public static NodeProto.Builder give(NodeProto.Builder node, int input, String tensor) {
    while (node.getInputCount() <= input) {
      node.addInput("");
    }
    return node.setInput(input, tensor);
  }

  /** The length of an axis, a scalar. */
  public String size(String input, long axis) {
    return gather(op("Shape", input), scalar(axis), 0);
  }

  public String concat(int axis, String... inputs) {
    String output = fresh();
    add(node("Concat", List.of(inputs), output).addAttribute(integer("axis", axis)));
    return output;
  }

  public String softmax(String input) {
    String output = fresh();
    add(node("Softmax", List.of(input), output).addAttribute(integer("axis", -1)));
    return output;
  }

  /**
   * For each row the first of its largest values, int64, or -1 where any is no number, as their sum
   * tells; the last axis vanishes.
   */
  public void bestOf(String rows, String output) {
    String best = fresh();
    add(
        node("ArgMax", List.of(rows), best)
            .addAttribute(integer("axis", -1))
            .addAttribute(integer("keepdims", 0)));
    String sum = fresh();
    reduce("ReduceSum", rows, sum, -1);
    op("Where", List.of(op("IsNaN", sum), scalar(-1L), best), output);
  }

  /** Mean over the given axes, which vanish. */
  public void mean(String input, String output, long... axes) {
    reduce("ReduceMean", input, output, axes);
  }

  /** Folds the given axes, which vanish. */
  public void reduce(String type, String input, String output, long... axes) {
    int since = type.equals("ReduceSum") ? SOME_AXES_ARE_INPUTS : AXES_ARE_INPUTS;
    add(
        withAxes(node(type, List.of(input), output), since, axes)
            .addAttribute(integer("keepdims", 0)));
  }

  /** Puts in axes of length 1, counted in the result. */
  public String unsqueeze(String input, long... axes) {
    String output = fresh();
    add(withAxes(node("Unsqueeze", List.of(input), output), SOME_AXES_ARE_INPUTS, axes));
    return output;
  }

  /** Takes out an axis of length 1. */
  public String squeeze(String input, long axis) {
    String output = fresh();
    add(withAxes(node("Squeeze", List.of(input), output), SOME_AXES_ARE_INPUTS, axis));
    return output;
  }

  private NodeProto.Builder withAxes(NodeProto.Builder node, int inputsSince, long... axes) {
    return opset >= inputsSince
        ? node.addInput(constant(axes))
        : node.addAttribute(integers("axes", axes));
  }

  /** Divided by the norm along the last of so many axes; zeros stay zeros. */
  public String normalised(String rows, int rank) {
    String squares = fresh();
    mean(op("Mul", rows, rows), squares, rank - 1);
    String roots = op("Max", op("Sqrt", squares), scalar(LEAST_NORM));
    String norms = op("Mul", roots, op("Sqrt", floats(size(rows, rank - 1))));
    return op("Div", rows, unsqueeze(norms, rank - 1));
  }

  /** Calls what the last node computes by a name; false if the tensor is not the last node's. */
  public boolean rename(String tensor, String name) {
    int last = graph.getNodeCount() - 1;
    if (last < 0 || !graph.getNode(last).getOutputList().equals(List.of(tensor))) {
      return false;
    }
    graph.getNodeBuilder(last).setOutput(0, name);
    return true;
  }

  /** Appends a node of the original graph, whose name stays. */
  public void copy(NodeProto.Builder node) {
    graph.addNode(node);
  }

  public void add(NodeProto.Builder node) {
    graph.addNode(node.setName(fresh()));
  }

  public static NodeProto.Builder node(String type, List<String> inputs, String output) {
    return NodeProto.newBuilder().setOpType(type).addAllInput(inputs).addOutput(output);
  }

  /** A node that reads and writes one tensor under another name. */
  public static NodeProto renamed(NodeProto node, String from, String to) {
    NodeProto.Builder copy = node.toBuilder();
    for (int i = 0; i < copy.getInputCount(); i++) {
      if (copy.getInput(i).equals(from)) {
        copy.setInput(i, to);
      }
    }
    for (int i = 0; i < copy.getOutputCount(); i++) {
      if (copy.getOutput(i).equals(from)) {
        copy.setOutput(i, to);
      }
    }
    return copy.build();
  }

  /** Declares an input or output, if it is the one named, to be float32. */
  public static void declareFloat(List<ValueInfoProto.Builder> values, String name) {
    for (ValueInfoProto.Builder value : values) {
      if (value.getName().equals(name)) {
        value.getTypeBuilder().getTensorTypeBuilder().setElemType(FLOAT);
      }
    }
  }

  public static AttributeProto text(String name, String value) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeProto.AttributeType.STRING)
        .setS(ByteString.copyFromUtf8(value))
        .build();
  }

  public static AttributeProto integer(String name, long value) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeProto.AttributeType.INT)
        .setI(value)
        .build();
  }

  public static AttributeProto integers(String name, long... values) {
    AttributeProto.Builder list =
        AttributeProto.newBuilder().setName(name).setType(AttributeProto.AttributeType.INTS);
    Arrays.stream(values).forEach(list::addInts);
    return list.build();
  }

  /**
   * A value of a type whose dimensions are numbers ({@code Long}), symbols ({@code String}) or open
   * ({@code ""}).
   */
  public static ValueInfoProto value(String name, int elementType, Object... dimensions) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    for (Object dimension : dimensions) {
      TensorShapeProto.Dimension.Builder dim = TensorShapeProto.Dimension.newBuilder();
      if (dimension instanceof Long size && size >= 0) {
        dim.setDimValue(size);
      } else if (dimension instanceof String symbol && !symbol.isEmpty()) {
        dim.setDimParam(symbol);
      }
      shape.addDim(dim);
    }
    return ValueInfoProto.newBuilder()
        .setName(name)
        .setType(
            TypeProto.newBuilder()
                .setTensorType(
                    TypeProto.Tensor.newBuilder().setElemType(elementType).setShape(shape)))
        .build();
  }

  /** A value known by its element type only. */
  public static ValueInfoProto shapeless(String name, int elementType) {
    return ValueInfoProto.newBuilder()
        .setName(name)
        .setType(
            TypeProto.newBuilder()
                .setTensorType(TypeProto.Tensor.newBuilder().setElemType(elementType)))
        .build();
  }
}
