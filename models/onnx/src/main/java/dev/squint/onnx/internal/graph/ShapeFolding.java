package dev.squint.onnx.internal.graph;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Takes the computing of shapes out of a graph where they are known before it runs. Exporters that
 * trace measure each tensor before they reshape it: some 70 nodes of a layer do no more than that,
 * and ONNX Runtime runs all of them, since the number of tokens is open. Here a size that is the
 * input's own becomes 0 of {@code Reshape} and 1 of {@code Expand}, a single other one -1; what
 * nobody reads any more goes. The graph computes the same.
 */
public final class ShapeFolding {

  private static final long COPIED = 0;

  private final GraphProto.Builder graph;
  private final KnownSizes sizes;
  private final Set<String> weights = new HashSet<>();
  private final List<NodeProto> nodes = new ArrayList<>();
  private final List<TensorProto> constants = new ArrayList<>();

  private ShapeFolding(GraphProto.Builder graph, Set<String> lengths) {
    this.graph = graph;
    this.sizes = new KnownSizes(graph, lengths);
    graph.getInitializerList().forEach(weight -> weights.add(weight.getName()));
  }

  /**
   * Folds what is known in a graph whose nodes are in order; one with inner graphs is left.
   *
   * @param lengths inputs that hold the length of an axis, int64 {@code [1]}
   */
  public static void in(GraphProto.Builder graph, Set<String> lengths) {
    boolean nested =
        graph.getNodeList().stream()
            .flatMap(node -> node.getAttributeList().stream())
            .anyMatch(attribute -> attribute.hasG() || attribute.getGraphsCount() > 0);
    if (!nested) {
      new ShapeFolding(graph, lengths).fold();
    }
  }

  private void fold() {
    for (NodeProto node : graph.getNodeList()) {
      sizes.look(node);
      nodes.add(folded(node));
    }
    graph.clearNode().addAllNode(nodes).addAllInitializer(constants);
    GraphProto needed = OnnxGraph.neededOnly(graph);
    graph.clear().mergeFrom(needed);
  }

  private NodeProto folded(NodeProto node) {
    Attributes of = new Attributes(node);
    Optional<KnownSizes.Numbers> shape =
        sizes.numbers(of.input(1)).filter(found -> of.isStandard() && !found.scalar());
    Optional<List<Long>> written =
        switch (node.getOpType()) {
          case "Reshape" ->
              shape
                  .filter(found -> of.integer("allowzero", 0) == 0)
                  .flatMap(found -> reshape(of, found.all()));
          case "Expand" -> shape.flatMap(found -> expand(of, found.all()));
          default -> Optional.empty();
        };
    if (written.isPresent()) {
      return node.toBuilder().setInput(1, constant(written.get(), false)).build();
    }
    // What is as it was stays the same message, whose size protobuf has counted.
    NodeProto folded = node;
    for (int i = 0; i < node.getInputCount(); i++) {
      Optional<KnownSizes.Numbers> known = sizes.numbers(node.getInput(i));
      if (known.isPresent() && known.get().isKnown() && !weights.contains(node.getInput(i))) {
        String constant =
            constant(known.get().all().stream().map(Size::number).toList(), known.get().scalar());
        folded = folded.toBuilder().setInput(i, constant).build();
      }
    }
    return folded;
  }

  private Optional<List<Long>> reshape(Attributes node, List<Size> wanted) {
    Optional<List<Size>> data = sizes.shape(node.input(0));
    Optional<List<Size>> made = sizes.shape(node.output(0));
    List<Long> written = new ArrayList<>();
    for (int axis = 0; axis < wanted.size(); axis++) {
      Size size = wanted.get(axis);
      boolean inferred = size.is(Size.INFERRED);
      Size known = inferred && made.isPresent() ? made.get().get(axis) : size;
      int at = axis;
      if (known.isKnown()) {
        written.add(known.number());
      } else if (data.filter(of -> at < of.size() && of.get(at).equals(known)).isPresent()) {
        written.add(COPIED);
      } else {
        written.add(Size.INFERRED);
      }
    }
    return Optional.of(written).filter(all -> Collections.frequency(all, Size.INFERRED) <= 1);
  }

  private Optional<List<Long>> expand(Attributes node, List<Size> wanted) {
    Optional<List<Size>> data = sizes.shape(node.input(0));
    if (data.isEmpty()) {
      return Optional.empty();
    }
    List<Long> written = new ArrayList<>();
    for (int axis = 0; axis < wanted.size(); axis++) {
      Size size = wanted.get(axis);
      int own = data.get().size() - wanted.size() + axis;
      if (size.isKnown()) {
        written.add(size.number());
      } else if (own >= 0 && data.get().get(own).equals(size)) {
        written.add(1L);
      } else {
        return Optional.empty();
      }
    }
    return Optional.of(written);
  }

  private String constant(List<Long> numbers, boolean scalar) {
    String name = "squint.shape" + (scalar ? "." : "s.") + numbers.toString().replace(" ", "");
    if (constants.stream().noneMatch(known -> known.getName().equals(name))) {
      TensorProto.Builder constant =
          TensorProto.newBuilder()
              .setName(name)
              .setDataType(GraphNodes.INT64)
              .addAllInt64Data(numbers);
      constants.add(scalar ? constant.build() : constant.addDims(numbers.size()).build());
    }
    return name;
  }
}
