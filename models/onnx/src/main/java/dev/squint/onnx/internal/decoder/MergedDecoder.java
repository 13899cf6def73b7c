package dev.squint.onnx.internal.decoder;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import dev.squint.onnx.internal.graph.Attributes;
import dev.squint.onnx.internal.graph.GraphNodes;
import dev.squint.onnx.internal.graph.OnnxGraph;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Decoders merged from one export with and one without a past keep their layers in the two branches
 * of an {@code If} on the input {@code use_cache_branch}. The branch that reads the past does both
 * jobs, an empty past included, and takes the place of the whole.
 */
final class MergedDecoder {

  private MergedDecoder() {}

  /** The graph with the branch in the place of the {@code If}, or the graph itself without one. */
  static OnnxGraph unwrapped(OnnxGraph graph) {
    int index = graph.producer(DecoderGraph.LOGITS);
    if (index < 0 || !graph.nodes().get(index).getOpType().equals("If")) {
      return graph;
    }
    NodeProto choice = graph.nodes().get(index);
    Optional<GraphProto> branch =
        choice.getAttributeList().stream()
            .filter(AttributeProto::hasG)
            .map(AttributeProto::getG)
            .filter(body -> body.getOutputCount() == choice.getOutputCount())
            .filter(MergedDecoder::readsPast)
            .findFirst();
    return branch.map(body -> graph.withGraph(inlined(graph, index, body))).orElse(graph);
  }

  private static boolean readsPast(GraphProto branch) {
    return branch.getNodeList().stream()
        .flatMap(node -> OnnxGraph.reads(node).stream())
        .anyMatch(name -> name.startsWith(DecoderGraph.PAST));
  }

  private static GraphProto inlined(OnnxGraph graph, int index, GraphProto body) {
    GraphProto.Builder whole = graph.model().getGraph().toBuilder();
    List<NodeProto> nodes = whole.getNodeList();
    whole.clearNode();
    nodes.subList(0, index).forEach(whole::addNode);
    body.getNodeList().forEach(whole::addNode);
    whole.addAllInitializer(body.getInitializerList());
    whole.addAllValueInfo(body.getValueInfoList());
    NodeProto choice = nodes.get(index);
    for (int i = 0; i < choice.getOutputCount(); i++) {
      String inner = body.getOutput(i).getName();
      if (!inner.equals(choice.getOutput(i))) {
        whole.addNode(
            GraphNodes.node("Identity", List.of(inner), choice.getOutput(i))
                .setName("squint.merged." + i));
      }
    }
    nodes.subList(index + 1, nodes.size()).forEach(whole::addNode);
    Set<String> read = new HashSet<>();
    whole.getNodeList().forEach(node -> read.addAll(OnnxGraph.reads(node)));
    for (int i = whole.getInputCount() - 1; i >= 0; i--) {
      String name = whole.getInput(i).getName();
      if (new Attributes(choice).input(0).equals(name) && !read.contains(name)) {
        whole.removeInput(i);
      }
    }
    return whole.build();
  }
}
