package dev.squint.onnx.internal.vision;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import dev.squint.error.ModelException;
import dev.squint.onnx.internal.decoder.MergingSeam;
import dev.squint.onnx.internal.decoder.SegmentModel;
import dev.squint.onnx.internal.graph.ElementTypes;
import dev.squint.onnx.internal.graph.GraphNodes;
import dev.squint.onnx.internal.graph.OnnxGraph;
import dev.squint.onnx.internal.io.Printable;
import java.util.BitSet;
import java.util.HashSet;
import java.util.Set;

/**
 * The projector of a vision tower, apart.
 *
 * @param graph tower and projector
 * @param patches the tensor in which patches enter the projector, {@code [B, patches, width]}
 */
record ProjectorSplit(OnnxGraph graph, String patches) {

  /** Name of the input that takes all patches, of all images. */
  static String arriving(String patches) {
    return patches + ".all";
  }

  /**
   * Inputs: {@link #arriving} patches, {@code keep}, {@code mix_sources} and {@code mix_weights},
   * which count through all images; output {@link VisionGraph#FEATURES}, one row per token kept.
   */
  byte[] projector() {
    GraphProto whole = graph.model().getGraph();
    ElementTypes types = graph.types();
    GraphProto.Builder out = GraphProto.newBuilder().setName("squint-projector");
    addSeam(out, types.of(patches));
    out.addAllInitializer(whole.getInitializerList());
    Set<String> known = new HashSet<>(Set.of(patches));
    whole.getInitializerList().forEach(weight -> known.add(weight.getName()));
    BitSet after = graph.dependents(Set.of(patches));
    for (int i = 0; i < graph.nodes().size(); i++) {
      NodeProto node = graph.nodes().get(i);
      Set<String> reads = OnnxGraph.reads(node);
      if (known.containsAll(reads)) {
        known.addAll(node.getOutputList());
        out.addNode(node);
      } else if (after.get(i)) {
        reads.removeAll(known);
        throw new ModelException(
            "the projector of %s reads %s besides the patches, so it cannot run apart; choose a strategy that merges after vision"
                .formatted(graph.file(), Printable.of(reads.toString())));
      }
    }
    out.addOutput(GraphNodes.shapeless(VisionGraph.FEATURES, types.of(VisionGraph.FEATURES)));
    return graph.model().toBuilder().setGraph(OnnxGraph.neededOnly(out)).build().toByteArray();
  }

  private void addSeam(GraphProto.Builder out, int type) {
    GraphNodes nodes = new GraphNodes(out, graph.opset());
    String all = arriving(patches);
    out.addInput(GraphNodes.value(all, type, "batch_size", "patches", "width"));
    out.addInput(GraphNodes.value(SegmentModel.KEEP, GraphNodes.INT64, "kept"));
    MergingSeam.declareInputs(out);
    String width = nodes.slice(nodes.op("Shape", all), 2, 3, 0);
    String flat = nodes.op("Reshape", all, nodes.concat(0, nodes.constant(1, -1), width));
    String extended = new MergingSeam(nodes).extended(flat, type, 1);
    nodes.gather(extended, SegmentModel.KEEP, 1, patches);
  }
}
