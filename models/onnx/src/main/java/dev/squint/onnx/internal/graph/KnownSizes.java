package dev.squint.onnx.internal.graph;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BinaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Shapes of the tensors of a graph, and what its vectors of whole numbers hold, as far as the graph
 * itself tells: node by node, in order. What is not told is left out.
 */
final class KnownSizes {

  /** No tensor has more axes. */
  private static final int MOST = 16;

  /**
   * Whole numbers.
   *
   * @param scalar whether they are one without an axis
   */
  record Numbers(List<Size> all, boolean scalar) {

    private static Numbers vector(List<Size> all) {
      return new Numbers(List.copyOf(all), false);
    }

    boolean isKnown() {
      return all.stream().allMatch(Size::isKnown);
    }
  }

  private final Map<String, List<Size>> shapes = new HashMap<>();
  private final Map<String, Numbers> numbers = new HashMap<>();

  /** Which numbers of two vectors are equal, where that is told of all. */
  private final Map<String, List<Boolean>> compared = new HashMap<>();

  private int fresh;

  /**
   * @param lengths inputs that hold the length of an axis, int64 {@code [1]}
   */
  KnownSizes(GraphProto.Builder graph, Set<String> lengths) {
    for (TensorProto weight : graph.getInitializerList()) {
      shapes.put(weight.getName(), weight.getDimsList().stream().map(Size::of).toList());
      written(weight).ifPresent(found -> numbers.put(weight.getName(), found));
    }
    for (ValueInfoProto input : graph.getInputList()) {
      if (input.getType().getTensorType().hasShape()) {
        shapes.put(input.getName(), declared(input.getType().getTensorType().getShape()));
      }
      if (lengths.contains(input.getName())) {
        numbers.put(input.getName(), Numbers.vector(List.of(another())));
      }
    }
  }

  /** The shape of a tensor, if it is known how many axes it has. */
  Optional<List<Size>> shape(String tensor) {
    return Optional.ofNullable(shapes.get(tensor));
  }

  /** What a scalar or vector of int64 holds, if its length is known. */
  Optional<Numbers> numbers(String tensor) {
    return Optional.ofNullable(numbers.get(tensor));
  }

  private Size another() {
    return Size.named("/" + fresh++);
  }

  private List<Size> declared(TensorShapeProto shape) {
    return shape.getDimList().stream()
        .map(
            axis ->
                axis.hasDimValue()
                    ? Size.of(axis.getDimValue())
                    : axis.getDimParam().isEmpty() ? another() : Size.named(axis.getDimParam()))
        .toList();
  }

  private static Optional<Numbers> written(TensorProto tensor) {
    int rank = tensor.getDimsCount();
    long count = rank == 0 ? 1 : tensor.getDims(0);
    if (tensor.getDataType() != GraphNodes.INT64 || rank > 1 || count < 0 || count > MOST) {
      return Optional.empty();
    }
    List<Size> all = new ArrayList<>();
    if (tensor.getInt64DataCount() == count) {
      tensor.getInt64DataList().forEach(number -> all.add(Size.of(number)));
    } else if (tensor.getRawData().size() == count * Long.BYTES) {
      LongBuffer raw =
          tensor.getRawData().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN).asLongBuffer();
      while (raw.hasRemaining()) {
        all.add(Size.of(raw.get()));
      }
    } else {
      return Optional.empty();
    }
    return Optional.of(new Numbers(List.copyOf(all), rank == 0));
  }

  /** Finds out what a node makes; those before it have been looked at. */
  void look(NodeProto node) {
    Attributes of = new Attributes(node);
    if (!of.isStandard() || node.getOutputCount() == 0) {
      return;
    }
    String output = of.output(0);
    numbersOf(of).ifPresent(found -> numbers.put(output, found));
    if (node.getOpType().equals("Equal")) {
      compare(of);
    }
    Optional<List<Size>> shape = shapeOf(of);
    if (shape.isPresent() && shape.get().size() <= MOST) {
      shapes.put(output, List.copyOf(shape.get()));
    } else if (numbers.containsKey(output)) {
      Numbers known = numbers.get(output);
      shapes.put(output, known.scalar ? List.of() : List.of(Size.of(known.all.size())));
    }
  }

  private Optional<Numbers> numbersOf(Attributes node) {
    Optional<Numbers> first = numbers(node.input(0));
    return switch (node.node().getOpType()) {
      case "Constant" -> constant(node);
      case "Shape" -> sizes(node);
      case "Identity" -> first;
      case "Cast" -> first.filter(found -> node.integer("to", 0) == GraphNodes.INT64);
      case "Unsqueeze" ->
          first
              .filter(found -> found.scalar && axes(node, 1).filter(a -> a.size() == 1).isPresent())
              .map(found -> Numbers.vector(found.all));
      case "Squeeze" ->
          first
              .filter(found -> !found.scalar && found.all.size() == 1)
              .map(found -> new Numbers(found.all, true));
      case "Reshape" ->
          first.filter(
              found ->
                  !found.scalar
                      && numbers(node.input(1)).filter(to -> to.all.size() == 1).isPresent());
      case "Concat" -> joined(node);
      case "Gather" -> gathered(node);
      case "Slice" -> first.filter(found -> !found.scalar).flatMap(found -> sliced(node, found));
      case "ConstantOfShape" -> filled(node);
      case "Add" -> combined(node, Math::addExact).or(() -> sum(node));
      case "Sub" -> combined(node, Math::subtractExact);
      case "Mul" -> combined(node, Math::multiplyExact);
      case "Div" -> combined(node, (a, b) -> a / b);
      case "Where" -> chosen(node);
      default -> Optional.empty();
    };
  }

  private static Optional<Numbers> constant(Attributes node) {
    for (AttributeProto attribute : node.node().getAttributeList()) {
      switch (attribute.getName()) {
        case "value":
          return written(attribute.getT());
        case "value_int":
          return Optional.of(new Numbers(List.of(Size.of(attribute.getI())), true));
        case "value_ints":
          return Optional.of(attribute.getIntsList().stream().map(Size::of).toList())
              .filter(all -> all.size() <= MOST)
              .map(Numbers::vector);
        default:
          break;
      }
    }
    return Optional.empty();
  }

  private static Optional<List<Size>> constantShape(Attributes node) {
    return node.node().getAttributeList().stream()
        .filter(attribute -> attribute.getName().equals("value"))
        .map(attribute -> attribute.getT().getDimsList().stream().map(Size::of).toList())
        .findFirst();
  }

  private Optional<Numbers> sizes(Attributes node) {
    return shape(node.input(0))
        .map(
            shape -> {
              int from = place(node.integer("start", 0), shape.size());
              int to = place(node.integer("end", shape.size()), shape.size());
              return Numbers.vector(shape.subList(Math.min(from, to), to));
            });
  }

  /** A border of a slice, within a list. */
  private static int place(long border, int length) {
    return (int) Math.max(0, Math.min(length, border < 0 ? border + length : border));
  }

  private Optional<Numbers> joined(Attributes node) {
    List<Size> all = new ArrayList<>();
    for (String input : node.node().getInputList()) {
      Optional<Numbers> part = numbers(input).filter(found -> !found.scalar);
      if (part.isEmpty() || all.size() + part.get().all.size() > MOST) {
        return Optional.empty();
      }
      all.addAll(part.get().all);
    }
    return Optional.of(Numbers.vector(all));
  }

  private Optional<Numbers> gathered(Attributes node) {
    Optional<Numbers> from = numbers(node.input(0)).filter(found -> !found.scalar);
    Optional<Numbers> at = numbers(node.input(1)).filter(Numbers::isKnown);
    if (from.isEmpty() || at.isEmpty()) {
      return Optional.empty();
    }
    List<Size> all = from.get().all;
    List<Size> picked = new ArrayList<>();
    for (Size index : at.get().all) {
      long place = index.number() < 0 ? index.number() + all.size() : index.number();
      if (place < 0 || place >= all.size()) {
        return Optional.empty();
      }
      picked.add(all.get((int) place));
    }
    return Optional.of(new Numbers(List.copyOf(picked), at.get().scalar));
  }

  private Optional<Numbers> sliced(Attributes node, Numbers of) {
    Optional<Size> from = single(node.input(1));
    Optional<Size> to = single(node.input(2));
    if (from.isEmpty() || to.isEmpty() || !isEveryOne(node)) {
      return Optional.empty();
    }
    int begin = place(from.get().number(), of.all.size());
    int end = place(to.get().number(), of.all.size());
    return Optional.of(Numbers.vector(of.all.subList(Math.min(begin, end), end)));
  }

  /** Whether a slice leaves none out between its borders. */
  private boolean isEveryOne(Attributes slice) {
    return slice.input(4).isEmpty() || single(slice.input(4)).filter(s -> s.is(1)).isPresent();
  }

  private Optional<Size> single(String tensor) {
    return numbers(tensor)
        .filter(found -> found.all.size() == 1 && found.isKnown())
        .map(found -> found.all.get(0));
  }

  private Optional<Numbers> filled(Attributes node) {
    Optional<Size> length = single(node.input(0));
    if (length.isEmpty() || length.get().number() < 0 || length.get().number() > MOST) {
      return Optional.empty();
    }
    for (AttributeProto attribute : node.node().getAttributeList()) {
      Optional<Numbers> value = written(attribute.getT());
      if (attribute.getName().equals("value")
          && value.filter(found -> found.all.size() == 1).isPresent()) {
        return Optional.of(
            Numbers.vector(
                Collections.nCopies((int) length.get().number(), value.get().all.get(0))));
      }
    }
    return Optional.empty();
  }

  private Optional<Numbers> combined(Attributes node, BinaryOperator<Long> by) {
    Optional<Numbers> a = numbers(node.input(0)).filter(Numbers::isKnown);
    Optional<Numbers> b = numbers(node.input(1)).filter(Numbers::isKnown);
    if (a.isEmpty() || b.isEmpty()) {
      return Optional.empty();
    }
    int length = Math.max(a.get().all.size(), b.get().all.size());
    List<Size> all = new ArrayList<>();
    try {
      for (int i = 0; i < length; i++) {
        all.add(Size.of(by.apply(at(a.get(), i).number(), at(b.get(), i).number())));
      }
    } catch (ArithmeticException | IndexOutOfBoundsException e) {
      return Optional.empty();
    }
    return Optional.of(new Numbers(List.copyOf(all), a.get().scalar && b.get().scalar));
  }

  /** Two lengths together are one, the same wherever they are added. */
  private Optional<Numbers> sum(Attributes node) {
    Optional<Numbers> a = numbers(node.input(0)).filter(found -> found.all.size() == 1);
    Optional<Numbers> b = numbers(node.input(1)).filter(found -> found.all.size() == 1);
    if (a.isEmpty() || b.isEmpty()) {
      return Optional.empty();
    }
    Size one = a.get().all.get(0);
    Size other = b.get().all.get(0);
    if (one.isKnown() || other.isKnown()) {
      return Optional.empty();
    }
    String name =
        Stream.of(one.symbol(), other.symbol()).sorted().collect(Collectors.joining("+", "(", ")"));
    return Optional.of(new Numbers(List.of(Size.named(name)), a.get().scalar && b.get().scalar));
  }

  /** What counts up from 0 has as many numbers as it counts to. */
  private Optional<List<Size>> counted(Attributes node) {
    Optional<Size> to =
        numbers(node.input(1))
            .filter(found -> found.all.size() == 1)
            .map(found -> found.all.get(0));
    boolean fromZero = single(node.input(0)).filter(from -> from.is(0)).isPresent();
    boolean everyOne = single(node.input(2)).filter(step -> step.is(1)).isPresent();
    return Optional.of(
        List.of(
            to.filter(end -> fromZero && everyOne && (!end.isKnown() || end.number() >= 0))
                .orElseGet(this::another)));
  }

  private static Size at(Numbers numbers, int i) {
    return numbers.all.get(numbers.all.size() == 1 ? 0 : i);
  }

  /** Exporters put 1 for each size of -1, and so compare a shape with -1. */
  private Optional<Numbers> chosen(Attributes node) {
    Optional<Numbers> yes = numbers(node.input(1));
    Optional<Numbers> no = numbers(node.input(2));
    List<Boolean> which = compared.getOrDefault(node.input(0), List.of());
    if (yes.isEmpty() || no.isEmpty() || !alike(yes.get(), no.get())) {
      return Optional.empty();
    }
    return Optional.of(which)
        .filter(known -> known.size() == no.get().all.size())
        .map(
            known ->
                Numbers.vector(
                    IntStream.range(0, known.size())
                        .mapToObj(i -> (known.get(i) ? yes : no).get().all.get(i))
                        .toList()));
  }

  private static boolean alike(Numbers one, Numbers other) {
    return !one.scalar && !other.scalar && one.all.size() == other.all.size();
  }

  private void compare(Attributes node) {
    Optional<Numbers> one = numbers(node.input(0));
    Optional<Numbers> other = numbers(node.input(1));
    if (one.isEmpty() || other.isEmpty() || !alike(one.get(), other.get())) {
      return;
    }
    List<Boolean> equal = new ArrayList<>();
    for (int i = 0; i < one.get().all.size(); i++) {
      Size a = one.get().all.get(i);
      Size b = other.get().all.get(i);
      boolean told = b.isKnown() && (a.isKnown() || b.number() < 0);
      if (!told) {
        return;
      }
      equal.add(a.equals(b));
    }
    compared.put(node.output(0), List.copyOf(equal));
  }

  private Optional<List<Size>> shapeOf(Attributes node) {
    Optional<List<Size>> first = shape(node.input(0));
    return switch (node.node().getOpType()) {
      case "Constant" -> constantShape(node);
      case "Range" -> counted(node);
      case "ConstantOfShape" ->
          numbers(node.input(0)).filter(found -> !found.scalar).map(Numbers::all);
      case "Identity",
          "Cast",
          "Neg",
          "Sqrt",
          "Reciprocal",
          "Sigmoid",
          "Tanh",
          "Erf",
          "Exp",
          "Cos",
          "Sin",
          "Not",
          "IsNaN",
          "Softmax",
          "LayerNormalization",
          "SimplifiedLayerNormalization",
          "RMSNormalization",
          "ScatterND" ->
          first;
      case "Add",
          "Sub",
          "Mul",
          "Div",
          "Pow",
          "Equal",
          "And",
          "Or",
          "LessOrEqual",
          "Less",
          "Greater",
          "GreaterOrEqual" ->
          broadcast(first, shape(node.input(1)));
      case "Where" -> broadcast(broadcast(first, shape(node.input(1))), shape(node.input(2)));
      case "Expand" -> broadcast(first, numbers(node.input(1)).map(Numbers::all));
      case "MatMul" -> multiplied(first, shape(node.input(1)));
      case "Transpose" -> first.flatMap(shape -> turned(node, shape));
      case "Reshape" -> reshaped(node);
      case "Unsqueeze" -> first.flatMap(shape -> unsqueezed(node, shape));
      case "Concat" -> laidTogether(node);
      case "Slice" -> first.flatMap(shape -> cut(node, shape));
      case "Gather" -> first.flatMap(shape -> picked(node, shape));
      case "ReduceMean" -> first.flatMap(shape -> reduced(node, shape));
      default -> Optional.empty();
    };
  }

  private Optional<List<Size>> broadcast(Optional<List<Size>> one, Optional<List<Size>> other) {
    if (one.isEmpty() || other.isEmpty()) {
      return Optional.empty();
    }
    int rank = Math.max(one.get().size(), other.get().size());
    List<Size> shape = new ArrayList<>();
    for (int axis = 0; axis < rank; axis++) {
      shape.add(wider(fromRight(one.get(), rank - axis), fromRight(other.get(), rank - axis)));
    }
    return Optional.of(shape);
  }

  private static Size fromRight(List<Size> shape, int place) {
    return place > shape.size() ? Size.of(1) : shape.get(shape.size() - place);
  }

  private Size wider(Size one, Size other) {
    if (one.equals(other) || other.is(1)) {
      return one;
    }
    if (one.is(1)) {
      return other;
    }
    if (one.isKnown() != other.isKnown()) {
      return one.isKnown() ? one : other;
    }
    return another();
  }

  private Optional<List<Size>> multiplied(Optional<List<Size>> one, Optional<List<Size>> other) {
    if (one.isEmpty() || other.isEmpty() || one.get().size() < 2 || other.get().size() < 2) {
      return Optional.empty();
    }
    int rows = one.get().size() - 2;
    int columns = other.get().size() - 2;
    List<Size> shape =
        new ArrayList<>(
            broadcast(
                    Optional.of(one.get().subList(0, rows)),
                    Optional.of(other.get().subList(0, columns)))
                .orElseThrow());
    shape.add(one.get().get(rows));
    shape.add(other.get().get(columns + 1));
    return Optional.of(shape);
  }

  private static Optional<List<Size>> turned(Attributes node, List<Size> shape) {
    List<Size> turned = new ArrayList<>();
    for (long axis : node.integers("perm")) {
      if (axis < 0 || axis >= shape.size()) {
        return Optional.empty();
      }
      turned.add(shape.get((int) axis));
    }
    return Optional.of(turned).filter(all -> all.size() == shape.size());
  }

  private Optional<List<Size>> reshaped(Attributes node) {
    Optional<Numbers> wanted = numbers(node.input(1)).filter(found -> !found.scalar);
    if (wanted.isEmpty() || node.integer("allowzero", 0) != 0) {
      return Optional.empty();
    }
    Optional<List<Size>> data = shape(node.input(0));
    List<Size> shape = new ArrayList<>();
    int inferred = -1;
    for (int axis = 0; axis < wanted.get().all.size(); axis++) {
      Size size = wanted.get().all.get(axis);
      if (size.is(Size.INFERRED)) {
        inferred = axis;
      }
      boolean copied = size.is(0);
      int at = axis;
      shape.add(
          copied
              ? data.filter(known -> at < known.size())
                  .map(known -> known.get(at))
                  .orElseGet(this::another)
              : size);
    }
    if (inferred >= 0) {
      List<Size> others = new ArrayList<>(shape);
      others.remove(inferred);
      shape.set(
          inferred, data.flatMap(known -> Size.quotient(known, others)).orElseGet(this::another));
    }
    return Optional.of(shape);
  }

  /** Axes that are an attribute or, later, an input. */
  private Optional<List<Long>> axes(Attributes node, int input) {
    List<Long> written = node.integers("axes");
    return written.isEmpty()
        ? numbers(node.input(input))
            .filter(Numbers::isKnown)
            .map(found -> found.all.stream().map(Size::number).toList())
        : Optional.of(written);
  }

  private Optional<List<Size>> unsqueezed(Attributes node, List<Size> shape) {
    Optional<List<Long>> axes = axes(node, 1);
    if (axes.isEmpty() || axes.get().size() > MOST) {
      return Optional.empty();
    }
    int rank = shape.size() + axes.get().size();
    List<Size> wider = new ArrayList<>(shape);
    for (long axis : axes.get().stream().map(a -> a < 0 ? a + rank : a).sorted().toList()) {
      if (axis < 0 || axis > wider.size()) {
        return Optional.empty();
      }
      wider.add((int) axis, Size.of(1));
    }
    return Optional.of(wider);
  }

  private Optional<List<Size>> laidTogether(Attributes node) {
    List<Size> shape = new ArrayList<>();
    for (String input : node.node().getInputList()) {
      Optional<List<Size>> part = shape(input);
      if (part.isEmpty() || (!shape.isEmpty() && part.get().size() != shape.size())) {
        return Optional.empty();
      }
      if (shape.isEmpty()) {
        shape.addAll(part.get());
        continue;
      }
      int axis = (int) node.integer("axis", 0);
      int along = axis < 0 ? axis + shape.size() : axis;
      if (along < 0 || along >= shape.size()) {
        return Optional.empty();
      }
      Size one = shape.get(along);
      Size other = part.get().get(along);
      shape.set(
          along,
          one.isKnown() && other.isKnown() ? Size.of(one.number() + other.number()) : another());
    }
    return Optional.of(shape);
  }

  private Optional<List<Size>> cut(Attributes node, List<Size> shape) {
    Optional<Size> axis = single(node.input(3));
    if (axis.isEmpty()) {
      return Optional.empty();
    }
    long along = axis.get().number() < 0 ? axis.get().number() + shape.size() : axis.get().number();
    if (along < 0 || along >= shape.size()) {
      return Optional.empty();
    }
    Size length = shape.get((int) along);
    Optional<Size> from = single(node.input(1));
    Optional<Size> to = single(node.input(2));
    List<Size> left = new ArrayList<>(shape);
    if (length.isKnown() && from.isPresent() && to.isPresent() && isEveryOne(node)) {
      int all = (int) length.number();
      int begin = place(from.get().number(), all);
      left.set((int) along, Size.of(Math.max(0, place(to.get().number(), all) - begin)));
    } else {
      left.set((int) along, another());
    }
    return Optional.of(left);
  }

  private Optional<List<Size>> picked(Attributes node, List<Size> shape) {
    long axis = node.integer("axis", 0);
    long along = axis < 0 ? axis + shape.size() : axis;
    Optional<List<Size>> indices = shape(node.input(1));
    if (indices.isEmpty() || along < 0 || along >= shape.size()) {
      return Optional.empty();
    }
    List<Size> picked = new ArrayList<>(shape.subList(0, (int) along));
    picked.addAll(indices.get());
    picked.addAll(shape.subList((int) along + 1, shape.size()));
    return Optional.of(picked);
  }

  private Optional<List<Size>> reduced(Attributes node, List<Size> shape) {
    Optional<List<Long>> axes = axes(node, 1);
    if (axes.isEmpty() || node.integer("keepdims", 1) != 1) {
      return Optional.empty();
    }
    List<Size> left = new ArrayList<>(shape);
    for (long axis : axes.get()) {
      long along = axis < 0 ? axis + shape.size() : axis;
      if (along < 0 || along >= shape.size()) {
        return Optional.empty();
      }
      left.set((int) along, Size.of(1));
    }
    return Optional.of(left);
  }
}
