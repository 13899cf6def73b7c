package dev.squint.onnx.internal.graph;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.squint.error.ModelException;
import dev.squint.onnx.internal.io.Printable;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Whether a graph and those inside of it say what they are made of: every tensor is made exactly
 * once, every value has a name and a type that there is, every node has what its operator needs.
 *
 * @param file the file, for messages
 */
record GraphCheck(Path file) {

  /** Exported graphs are nested two or three deep. */
  private static final int DEEPEST = 10;

  /** The largest decoders have a hundred thousand. */
  private static final int MOST_NODES = 1_000_000;

  /**
   * Checks a graph.
   *
   * @throws ModelException if something is missing, there twice, or not of its kind
   */
  void check(GraphProto graph) {
    if (nodes(graph, 0) > MOST_NODES) {
      throw new ModelException(
          "%s has more than %d nodes; export a single model".formatted(file, MOST_NODES));
    }
    checkAll(graph, Optional.empty(), Optional.empty());
  }

  private long nodes(GraphProto graph, int depth) {
    if (depth > DEEPEST) {
      throw new ModelException(
          "%s: its subgraphs are nested too deep; export it without control flow".formatted(file));
    }
    long count = graph.getNodeCount();
    for (NodeProto node : graph.getNodeList()) {
      for (GraphProto inner : OnnxGraph.subgraphs(node)) {
        count += nodes(inner, depth + 1);
      }
    }
    return count;
  }

  private void checkAll(
      GraphProto graph, Optional<WrittenNumbers> around, Optional<MadeSizeCheck> sizesAround) {
    checkValues(graph);
    checkProducers(graph);
    NodeCheck nodes = new NodeCheck(file);
    WrittenNumbers numbers = WrittenNumbers.in(around, graph);
    LoopCheck loops = new LoopCheck(file, numbers);
    MadeSizeCheck sizes = new MadeSizeCheck(file, sizesAround, numbers, graph);
    for (NodeProto node : graph.getNodeList()) {
      nodes.check(node);
      loops.check(node);
      sizes.check(node);
      for (GraphProto inner : OnnxGraph.subgraphs(node)) {
        checkAll(inner, Optional.of(numbers), Optional.of(sizes));
        new TopologicalOrder(file).of(inner);
      }
    }
  }

  private void checkValues(GraphProto graph) {
    checkNames("input", graph.getInputList());
    checkNames("output", graph.getOutputList());
    for (List<ValueInfoProto> values :
        List.of(graph.getInputList(), graph.getOutputList(), graph.getValueInfoList())) {
      values.forEach(this::checkType);
    }
    if (graph.getSparseInitializerCount() > 0) {
      throw NodeCheck.sparse(file, graph.getSparseInitializer(0).getValues().getName());
    }
    Set<String> weights = new HashSet<>();
    for (TensorProto weight : graph.getInitializerList()) {
      checkName("a weight", weight.getName());
      if (!weights.add(weight.getName())) {
        throw damaged("the weight '%s' is there twice", weight.getName());
      }
    }
  }

  private void checkNames(String kind, List<ValueInfoProto> values) {
    Set<String> names = new HashSet<>();
    for (ValueInfoProto value : values) {
      checkName("an " + kind, value.getName());
      if (!names.add(value.getName())) {
        throw damaged("the " + kind + " '%s' is there twice", value.getName());
      }
    }
  }

  /** Native code takes names up to their first NUL, and only UTF-8. */
  private void checkName(String what, String name) {
    if (name.isEmpty() || !NodeCheck.isPlain(name)) {
      throw damaged("the name '%s' of " + what + " is no name", name);
    }
  }

  private void checkType(ValueInfoProto value) {
    var tensor = value.getType().getTensorType();
    if (tensor.getElemType() != ElementTypes.UNKNOWN
        && !ElementSize.isKnown(tensor.getElemType())) {
      throw damaged(
          "'%s' is of element type " + tensor.getElemType() + ", which ONNX does not have",
          value.getName());
    }
    for (var dim : tensor.getShape().getDimList()) {
      if (dim.getDimValue() < -1) {
        throw damaged(
            "'%s' has a dimension of " + dim.getDimValue() + " elements", value.getName());
      }
    }
  }

  private ModelException damaged(String what, String name) {
    return new ModelException(
        "%s: %s; the file is damaged, export it again"
            .formatted(file, what.formatted(Printable.of(name))));
  }

  private void checkProducers(GraphProto graph) {
    Set<String> given = new HashSet<>();
    graph.getInputList().stream().map(ValueInfoProto::getName).forEach(given::add);
    graph.getInitializerList().stream().map(TensorProto::getName).forEach(given::add);
    Set<String> made = new HashSet<>(given);
    for (NodeProto node : graph.getNodeList()) {
      for (String output : node.getOutputList()) {
        if (!output.isEmpty() && !made.add(output)) {
          throw new ModelException(
              "%s: node %s produces '%s', which %s; the file is damaged, export it again"
                  .formatted(
                      file,
                      OnnxGraph.label(node),
                      Printable.of(output),
                      given.contains(output)
                          ? "is an input or a weight already"
                          : "another node produces already"));
        }
      }
    }
  }
}
