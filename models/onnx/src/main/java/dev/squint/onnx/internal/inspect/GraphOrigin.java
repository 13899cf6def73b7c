package dev.squint.onnx.internal.inspect;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import dev.squint.onnx.internal.graph.Attributes;
import dev.squint.onnx.internal.graph.ExternalData;
import dev.squint.onnx.internal.graph.OnnxGraph;
import dev.squint.onnx.report.GraphSummary;
import java.util.Collection;
import java.util.Set;
import java.util.stream.Collectors;

/** Tells from a graph who made it, and of what. */
final class GraphOrigin {

  private GraphOrigin() {}

  static GraphSummary of(OnnxGraph graph) {
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
