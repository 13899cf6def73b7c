package dev.squint.onnx.internal.graph;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.squint.error.ModelException;
import dev.squint.onnx.internal.io.Printable;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * An ONNX graph read from a file, indexed by tensor name. Weights are never read: a tensor is known
 * by location, offset and length only, whether it lies in external data or in the file itself.
 */
public final class OnnxGraph {

  private static final Set<String> SHAPE_ONLY = Set.of("Shape", "Size");

  private final Path file;
  private final Path folder;
  private final List<Path> dataFiles;
  private final ModelProto model;
  private final Map<String, Integer> producers = new HashMap<>();
  private final Map<String, TensorProto> initializers = new HashMap<>();
  private final Map<String, ValueInfoProto> inputs = new LinkedHashMap<>();
  private final Map<String, Integer> inputOrder = new HashMap<>();
  private final Map<String, ValueInfoProto> outputs = new LinkedHashMap<>();
  private final Map<String, ValueInfoProto> values = new HashMap<>();
  private final List<List<String>> reads = new ArrayList<>();
  private final Map<String, List<Integer>> readers = new HashMap<>();
  private volatile ElementTypes types;
  private volatile TensorRanks ranks;

  private OnnxGraph(Path file, Path folder, List<Path> dataFiles, ModelProto model) {
    this.file = file;
    this.folder = folder;
    this.dataFiles = dataFiles;
    this.model = model;
    GraphProto graph = model.getGraph();
    graph.getInitializerList().forEach(tensor -> initializers.put(tensor.getName(), tensor));
    for (ValueInfoProto input : graph.getInputList()) {
      if (!initializers.containsKey(input.getName())) {
        inputOrder.put(input.getName(), inputs.size());
        inputs.put(input.getName(), input);
      }
    }
    graph.getOutputList().forEach(output -> outputs.put(output.getName(), output));
    graph.getValueInfoList().forEach(value -> values.put(value.getName(), value));
    index(graph.getNodeList());
    for (String output : outputs.keySet()) {
      if (!isKnown(output)) {
        throw new ModelException(
            "%s: nothing produces the output '%s'; the file is damaged, export it again"
                .formatted(file, Printable.of(output)));
      }
    }
  }

  /**
   * Reads a graph.
   *
   * @param file an ONNX file; tensors with external data must lie in its folder or below
   * @return the graph
   * @throws ModelException if the file is missing or unreadable, is not ONNX, holds a cycle,
   *     declares more data than there is, or points to external data outside its folder
   */
  public static OnnxGraph read(Path file) {
    ModelProto model = new ModelCheck(file).checked(new OnnxFile(file).read());
    ExternalData external = new ExternalData(file);
    new TensorCheck(file, external).check(model.getGraph());
    new GraphCheck(file).check(model.getGraph());
    GraphProto placed = external.placed(model.getGraph());
    GraphProto sorted = new TopologicalOrder(file).of(placed);
    ModelProto checked = model.toBuilder().setGraph(sorted).build();
    return new OnnxGraph(file, external.folder(), external.dataFiles(), checked);
  }

  /**
   * A changed graph that stands for the same file.
   *
   * @throws ModelException if the change has brought together what does not fit
   */
  public OnnxGraph withGraph(GraphProto graph) {
    new GraphCheck(file).check(graph);
    GraphProto sorted = new TopologicalOrder(file).of(graph);
    return new OnnxGraph(file, folder, dataFiles, model.toBuilder().setGraph(sorted).build());
  }

  /**
   * The model as ONNX Runtime is to read it: nothing in it has not been checked, and its embedded
   * weights are external data in its own file.
   *
   * @return the serialised model, whose weights lie in {@link #folder()}
   */
  public byte[] bytes() {
    return model.toByteArray();
  }

  private void index(List<NodeProto> nodes) {
    // A name that is read is the string that was written: walks compare no characters.
    Map<String, String> names = new HashMap<>();
    initializers.keySet().forEach(name -> names.put(name, name));
    inputs.keySet().forEach(name -> names.put(name, name));
    for (int i = 0; i < nodes.size(); i++) {
      NodeProto node = nodes.get(i);
      List<String> read = reads(node).stream().map(name -> names.getOrDefault(name, name)).toList();
      reads.add(read);
      for (String input : read) {
        readers.computeIfAbsent(input, name -> new ArrayList<>(1)).add(i);
        if (!isKnown(input)) {
          throw new ModelException(
              "%s: node %s reads '%s', which nothing produces; the file is damaged, export it again"
                  .formatted(file, label(node), Printable.of(input)));
        }
      }
      for (String output : node.getOutputList()) {
        if (!output.isEmpty()) {
          producers.put(output, i);
          names.put(output, output);
        }
      }
    }
  }

  private boolean isKnown(String tensor) {
    return producers.containsKey(tensor)
        || initializers.containsKey(tensor)
        || inputs.containsKey(tensor);
  }

  /**
   * The tensors a node reads: its inputs, and what its subgraphs capture from outside.
   *
   * @param node a node
   * @return tensor names without the empty name of an omitted input
   */
  public static Set<String> reads(NodeProto node) {
    Set<String> names = new LinkedHashSet<>(node.getInputList());
    subgraphs(node).forEach(graph -> names.addAll(captures(graph)));
    names.remove("");
    return names;
  }

  /** A graph without the nodes and weights that none of its outputs needs. */
  public static GraphProto neededOnly(GraphProto.Builder whole) {
    Set<String> wanted = new HashSet<>();
    whole.getOutputList().forEach(output -> wanted.add(output.getName()));
    List<NodeProto> nodes = whole.getNodeList();
    BitSet needed = new BitSet();
    for (int i = nodes.size() - 1; i >= 0; i--) {
      if (nodes.get(i).getOutputList().stream().anyMatch(wanted::contains)) {
        needed.set(i);
        wanted.addAll(reads(nodes.get(i)));
      }
    }
    GraphProto.Builder some = whole.clone().clearNode().clearInitializer();
    needed.stream().forEach(i -> some.addNode(nodes.get(i)));
    whole.getInitializerList().stream()
        .filter(weight -> wanted.contains(weight.getName()))
        .forEach(some::addInitializer);
    return some.build();
  }

  /** The graphs that a node holds, branches and bodies. */
  static List<GraphProto> subgraphs(NodeProto node) {
    List<GraphProto> graphs = new ArrayList<>(0);
    for (AttributeProto attribute : node.getAttributeList()) {
      if (attribute.hasG()) {
        graphs.add(attribute.getG());
      }
      graphs.addAll(attribute.getGraphsList());
    }
    return graphs;
  }

  private static Set<String> captures(GraphProto graph) {
    Set<String> names = new LinkedHashSet<>();
    Set<String> local = new HashSet<>();
    graph.getInputList().forEach(input -> local.add(input.getName()));
    graph.getInitializerList().forEach(tensor -> local.add(tensor.getName()));
    for (NodeProto node : graph.getNodeList()) {
      names.addAll(reads(node));
      local.addAll(node.getOutputList());
    }
    graph.getOutputList().forEach(output -> names.add(output.getName()));
    names.removeAll(local);
    return names;
  }

  /**
   * Whether a node looks at the shape of its input only, so that no hidden state flows through it.
   */
  public static boolean readsShapeOnly(NodeProto node) {
    return SHAPE_ONLY.contains(node.getOpType());
  }

  public static String label(NodeProto node) {
    String first = node.getOutputCount() == 0 ? "" : node.getOutput(0);
    String name = node.getName().isEmpty() ? first : node.getName();
    return "%s '%s'".formatted(Printable.of(node.getOpType()), Printable.of(name));
  }

  /** The file the graph was read from. */
  public Path file() {
    return file;
  }

  /** The folder that the locations of the weights are relative to. */
  public Path folder() {
    return folder;
  }

  /** The files that hold weights, links followed; the graph's own file where they are embedded. */
  public List<Path> dataFiles() {
    return dataFiles;
  }

  public ModelProto model() {
    return model;
  }

  public List<NodeProto> nodes() {
    return model.getGraph().getNodeList();
  }

  /** Index of the node that produces a tensor, or -1 for inputs and weights. */
  public int producer(String tensor) {
    return producers.getOrDefault(tensor, -1);
  }

  public TensorProto initializer(String tensor) {
    return initializers.get(tensor);
  }

  /** Those of some tensors that are inputs of the graph, in its order. */
  public List<ValueInfoProto> inputsAmong(Set<String> tensors) {
    return tensors.stream()
        .filter(inputs::containsKey)
        .sorted(Comparator.comparing(inputOrder::get))
        .map(inputs::get)
        .toList();
  }

  /** Whether the graph has an input of this name. */
  public boolean hasInput(String name) {
    return inputs.containsKey(name);
  }

  public Map<String, ValueInfoProto> inputs() {
    return inputs;
  }

  public Map<String, ValueInfoProto> outputs() {
    return outputs;
  }

  public boolean isConsumed(String tensor) {
    return readers.containsKey(tensor) || outputs.containsKey(tensor);
  }

  /** The tensors that a node reads, as {@link #reads(NodeProto)} finds them. */
  public List<String> reads(int node) {
    return reads.get(node);
  }

  /** The nodes that read a tensor, in order. */
  public List<Integer> readers(String tensor) {
    return readers.getOrDefault(tensor, List.of());
  }

  /** The element types of its tensors. */
  public ElementTypes types() {
    ElementTypes found = types;
    if (found == null) {
      found = new ElementTypes(this);
      types = found;
    }
    return found;
  }

  /** The numbers of axes of its tensors. */
  public TensorRanks ranks() {
    TensorRanks found = ranks;
    if (found == null) {
      found = new TensorRanks(this);
      ranks = found;
    }
    return found;
  }

  /**
   * Looks after a node for another, depth first, the first input before the second.
   *
   * @param from where to begin
   * @param found what is looked for
   * @param after the producers that are looked at where a node is not it
   * @return the first that is found
   */
  public <T> Optional<T> search(
      int from, Function<NodeProto, Optional<T>> found, Function<NodeProto, List<Integer>> after) {
    Set<Integer> seen = new HashSet<>();
    Deque<Integer> work = new ArrayDeque<>(List.of(from));
    while (!work.isEmpty()) {
      int next = work.pop();
      if (seen.add(next)) {
        Optional<T> result = found.apply(nodes().get(next));
        if (result.isPresent()) {
          return result;
        }
        List<Integer> producers = after.apply(nodes().get(next));
        for (int i = producers.size() - 1; i >= 0; i--) {
          work.push(producers.get(i));
        }
      }
    }
    return Optional.empty();
  }

  /** The nodes that produce the inputs of a node, in their order. */
  public List<Integer> producers(NodeProto node) {
    return node.getInputList().stream()
        .map(this::producer)
        .filter(producer -> producer >= 0)
        .toList();
  }

  ValueInfoProto value(String tensor) {
    return values.get(tensor);
  }

  /** The opset version of the default domain. */
  public int opset() {
    return model.getOpsetImportList().stream()
        .filter(opset -> opset.getDomain().isEmpty() || opset.getDomain().equals("ai.onnx"))
        .mapToInt(opset -> (int) opset.getVersion())
        .max()
        .orElse(1);
  }

  /**
   * Nodes whose values depend on the values of the given tensors. Shapes carry no values, so the
   * walk stops at nodes that read a shape only.
   */
  public BitSet dependents(Set<String> sources) {
    return new Flow(this, sources, false).all();
  }

  /** The size of a dimension of a graph input, or -1 where the graph leaves it open. */
  public long inputDimension(String input, int dimension) {
    ValueInfoProto value = inputs.get(input);
    if (value == null || value.getType().getTensorType().getShape().getDimCount() <= dimension) {
      return -1;
    }
    var dim = value.getType().getTensorType().getShape().getDim(dimension);
    return dim.hasDimValue() ? dim.getDimValue() : -1;
  }
}
