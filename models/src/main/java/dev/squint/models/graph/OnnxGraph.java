package dev.squint.models.graph;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.squint.models.ModelException;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * An ONNX graph read from a file, indexed by tensor name. Weights in external data are never read:
 * a tensor that lies there is known by location, offset and length only.
 */
public final class OnnxGraph {

  private static final Set<String> SHAPE_ONLY = Set.of("Shape", "Size");

  private final Path file;
  private final ModelProto model;
  private final Map<String, Integer> producers = new HashMap<>();
  private final Map<String, TensorProto> initializers = new HashMap<>();
  private final Map<String, ValueInfoProto> inputs = new LinkedHashMap<>();
  private final Map<String, ValueInfoProto> outputs = new LinkedHashMap<>();
  private final Map<String, ValueInfoProto> values = new HashMap<>();
  private final Set<String> consumed = new HashSet<>();

  private OnnxGraph(Path file, ModelProto model) {
    this.file = file;
    this.model = model;
    GraphProto graph = model.getGraph();
    for (TensorProto tensor : graph.getInitializerList()) {
      checkLocation(tensor);
      initializers.put(tensor.getName(), tensor);
    }
    for (ValueInfoProto input : graph.getInputList()) {
      if (!initializers.containsKey(input.getName())) {
        inputs.put(input.getName(), input);
      }
    }
    graph.getOutputList().forEach(output -> outputs.put(output.getName(), output));
    graph.getValueInfoList().forEach(value -> values.put(value.getName(), value));
    index(graph.getNodeList());
  }

  /**
   * Reads a graph.
   *
   * @param file an ONNX file; tensors with external data must lie in its folder or below
   * @return the graph
   * @throws ModelException if the file is missing or unreadable, is not ONNX, holds a cycle, or
   *     points to external data outside its folder
   */
  public static OnnxGraph read(Path file) {
    try (InputStream stream = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
      CodedInputStream coded = CodedInputStream.newInstance(stream);
      coded.setSizeLimit(Integer.MAX_VALUE);
      ModelProto model = ModelProto.parseFrom(coded);
      if (!model.hasGraph() || model.getGraph().getOutputCount() == 0) {
        throw new ModelException(
            file + " holds no ONNX graph: export the model again or download the file again");
      }
      GraphProto sorted = new TopologicalOrder(file).of(model.getGraph());
      return new OnnxGraph(file, model.toBuilder().setGraph(sorted).build());
    } catch (NoSuchFileException e) {
      throw new ModelException(
          "no such file: " + file + "; the hub layout keeps its graphs in the folder onnx", e);
    } catch (InvalidProtocolBufferException e) {
      throw new ModelException(
          file + " is not a readable ONNX file: download or export it again", e);
    } catch (IOException e) {
      throw new ModelException("cannot read " + file + ": " + e.getMessage(), e);
    }
  }

  /** A changed graph that stands for the same file. */
  OnnxGraph withGraph(GraphProto graph) {
    return new OnnxGraph(file, model.toBuilder().setGraph(graph).build());
  }

  private void index(List<NodeProto> nodes) {
    for (int i = 0; i < nodes.size(); i++) {
      NodeProto node = nodes.get(i);
      for (AttributeProto attribute : node.getAttributeList()) {
        if (attribute.hasT()) {
          checkLocation(attribute.getT());
        }
      }
      for (String input : reads(node)) {
        consumed.add(input);
        if (!isKnown(input)) {
          throw new ModelException(
              "%s: node %s reads '%s', which nothing produces; the file is damaged, export it again"
                  .formatted(file, label(node), input));
        }
      }
      for (String output : node.getOutputList()) {
        if (!output.isEmpty()) {
          producers.put(output, i);
        }
      }
    }
  }

  private boolean isKnown(String tensor) {
    return producers.containsKey(tensor)
        || initializers.containsKey(tensor)
        || inputs.containsKey(tensor);
  }

  private void checkLocation(TensorProto tensor) {
    if (tensor.getDataLocation() != TensorProto.DataLocation.EXTERNAL) {
      return;
    }
    String location = "";
    for (StringStringEntryProto entry : tensor.getExternalDataList()) {
      if (entry.getKey().equals("location")) {
        location = entry.getValue();
      }
    }
    String normal = location.replace('\\', '/');
    boolean escapes = List.of(normal.split("/")).contains("..");
    if (normal.isEmpty() || normal.startsWith("/") || normal.matches("[A-Za-z]:.*") || escapes) {
      throw new ModelException(
          "%s: weight '%s' points to external data '%s'; put the data file beside the graph and name it without '..'"
              .formatted(file, tensor.getName(), location));
    }
  }

  /**
   * The tensors a node reads: its inputs, and what its subgraphs capture from outside.
   *
   * @param node a node
   * @return tensor names without the empty name of an omitted input
   */
  static Set<String> reads(NodeProto node) {
    Set<String> names = new LinkedHashSet<>(node.getInputList());
    for (AttributeProto attribute : node.getAttributeList()) {
      if (attribute.hasG()) {
        names.addAll(captures(attribute.getG()));
      }
      attribute.getGraphsList().forEach(graph -> names.addAll(captures(graph)));
    }
    names.remove("");
    return names;
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
  static boolean readsShapeOnly(NodeProto node) {
    return SHAPE_ONLY.contains(node.getOpType());
  }

  static String label(NodeProto node) {
    return node.getOpType()
        + " '"
        + (node.getName().isEmpty() ? node.getOutput(0) : node.getName())
        + "'";
  }

  /** The file the graph was read from. */
  public Path file() {
    return file;
  }

  ModelProto model() {
    return model;
  }

  List<NodeProto> nodes() {
    return model.getGraph().getNodeList();
  }

  /** Index of the node that produces a tensor, or -1 for inputs and weights. */
  int producer(String tensor) {
    return producers.getOrDefault(tensor, -1);
  }

  TensorProto initializer(String tensor) {
    return initializers.get(tensor);
  }

  Map<String, ValueInfoProto> inputs() {
    return inputs;
  }

  Map<String, ValueInfoProto> outputs() {
    return outputs;
  }

  boolean isConsumed(String tensor) {
    return consumed.contains(tensor) || outputs.containsKey(tensor);
  }

  ValueInfoProto value(String tensor) {
    return values.get(tensor);
  }

  /** The opset version of the default domain. */
  int opset() {
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
  BitSet dependents(Set<String> sources) {
    BitSet reached = new BitSet();
    List<NodeProto> nodes = nodes();
    for (int i = 0; i < nodes.size(); i++) {
      NodeProto node = nodes.get(i);
      if (readsShapeOnly(node)) {
        continue;
      }
      for (String input : reads(node)) {
        int from = producer(input);
        if (sources.contains(input) || (from >= 0 && reached.get(from))) {
          reached.set(i);
          break;
        }
      }
    }
    return reached;
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
