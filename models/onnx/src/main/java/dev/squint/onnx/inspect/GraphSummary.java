package dev.squint.onnx.inspect;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import dev.squint.onnx.internal.graph.Attributes;
import dev.squint.onnx.internal.graph.ExternalData;
import dev.squint.onnx.internal.graph.OnnxGraph;
import java.util.Collection;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What a graph tells of its origin.
 *
 * @param exporter who made it: what the file says, which tools that ran later may have overwritten
 * @param opset opset of the default domain
 * @param nodes number of nodes
 * @param precision of the weights: {@code fp32}, {@code fp16}, {@code bf16}, {@code int8}, {@code
 *     int4}
 * @param dataFiles files next to the graph that hold weights
 */
public record GraphSummary(
    String exporter, int opset, int nodes, String precision, Set<String> dataFiles) {

  /** Sums a graph up. */
  public static GraphSummary of(OnnxGraph graph) {
    Set<String> files = ExternalData.locations(graph.model().getGraph());
    files.remove(graph.file().getFileName().toString());
    return new GraphSummary(
        exporter(graph), graph.opset(), graph.nodes().size(), precision(graph), Set.copyOf(files));
  }

  private static String exporter(OnnxGraph graph) {
    String name = graph.model().getProducerName();
    Set<String> operators =
        graph.nodes().stream().map(NodeProto::getOpType).collect(Collectors.toSet());
    boolean dynamo = graph.model().getIrVersion() >= 10;
    return switch (name) {
      case "pytorch" -> dynamo ? "torch.onnx (torch.export)" : "torch.onnx (TorchScript)";
      case "" ->
          operators.contains("GroupQueryAttention") ? "unnamed, GroupQueryAttention" : "unnamed";
      default -> name;
    };
  }

  private static String precision(OnnxGraph graph) {
    for (NodeProto node : graph.nodes()) {
      switch (node.getOpType()) {
        case "MatMulNBits", "GatherBlockQuantized":
          return "int" + new Attributes(node).integer("bits", 4);
        case "MatMulInteger", "DynamicQuantizeLinear", "DequantizeLinear":
          return "int8";
        default:
          break;
      }
    }
    Collection<TensorProto> weights = graph.model().getGraph().getInitializerList();
    return most(weights, DataType.FLOAT16)
        ? "fp16"
        : most(weights, DataType.BFLOAT16) ? "bf16" : "fp32";
  }

  private static boolean most(Collection<TensorProto> weights, DataType type) {
    long matrices = weights.stream().filter(w -> w.getDimsCount() == 2).count();
    long ofType =
        weights.stream()
            .filter(w -> w.getDimsCount() == 2 && w.getDataType() == type.getNumber())
            .count();
    return 2 * ofType > matrices;
  }
}
