package dev.squint.family.qwenvl;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.squint.onnx.internal.graph.GraphNodes;
import java.util.ArrayList;
import java.util.List;

/** The graphs of the Qwen3-VL fixture as other exporters write DeepStack, or leave it out. */
final class DeepStackGraphs {

  private static final String INPUT = "deepstack_embeds";
  private static final String OUTPUT = "deepstack_features.";
  private static final int WIDTH = 48;
  private static final int LEVELS = 2;

  private DeepStackGraphs() {}

  /** The decoder without its input, nothing being added to the hidden states. */
  static ModelProto without(ModelProto decoder) {
    ModelProto.Builder model = decoder.toBuilder();
    GraphProto.Builder graph = model.getGraphBuilder();
    removeInput(graph);
    TensorProto.Builder zeros =
        TensorProto.newBuilder()
            .setName(INPUT)
            .setDataType(GraphNodes.FLOAT)
            .addAllDims(List.of((long) LEVELS, 1L, 1L, (long) WIDTH));
    for (int i = 0; i < LEVELS * WIDTH; i++) {
      zeros.addFloatData(0);
    }
    graph.addInitializer(zeros);
    return model.build();
  }

  /** The decoder with an input for each level. */
  static ModelProto apart(ModelProto decoder) {
    ModelProto.Builder model = decoder.toBuilder();
    GraphProto.Builder graph = model.getGraphBuilder();
    removeInput(graph);
    List<NodeProto> nodes = List.copyOf(graph.getNodeList());
    graph.clearNode();
    List<String> levels = new ArrayList<>();
    for (int level = 0; level < LEVELS; level++) {
      String name = "DeepStack_level_" + level;
      graph.addInput(
          GraphNodes.value(name, GraphNodes.FLOAT, "batch_size", "sequence_length", (long) WIDTH));
      levels.add(unsqueezed(graph, name));
    }
    joined(graph, levels, INPUT);
    graph.addAllNode(nodes);
    return model.build();
  }

  /** The tower with one output for all levels. */
  static ModelProto packed(ModelProto tower) {
    ModelProto.Builder model = tower.toBuilder();
    GraphProto.Builder graph = model.getGraphBuilder();
    removeOutputs(graph);
    List<String> levels = new ArrayList<>();
    for (int level = 0; level < LEVELS; level++) {
      levels.add(unsqueezed(graph, OUTPUT + level));
    }
    joined(graph, levels, "all_deepstack");
    graph.addOutput(
        GraphNodes.value("all_deepstack", GraphNodes.FLOAT, (long) LEVELS, "tokens", (long) WIDTH));
    return model.build();
  }

  /** The tower with its features alone. */
  static ModelProto featuresAlone(ModelProto tower) {
    ModelProto.Builder model = tower.toBuilder();
    removeOutputs(model.getGraphBuilder());
    return model.build();
  }

  /** The tower with one level fewer. */
  static ModelProto oneLevel(ModelProto tower) {
    ModelProto.Builder model = tower.toBuilder();
    GraphProto.Builder graph = model.getGraphBuilder();
    for (int i = graph.getOutputCount() - 1; i >= 0; i--) {
      if (graph.getOutput(i).getName().equals(OUTPUT + 1)) {
        graph.removeOutput(i);
      }
    }
    return model.build();
  }

  private static String unsqueezed(GraphProto.Builder graph, String tensor) {
    String axes = tensor + ".axes";
    graph.addInitializer(
        TensorProto.newBuilder()
            .setName(axes)
            .setDataType(GraphNodes.INT64)
            .addDims(1)
            .addInt64Data(0));
    graph.addNode(GraphNodes.node("Unsqueeze", List.of(tensor, axes), tensor + ".one"));
    return tensor + ".one";
  }

  private static void joined(GraphProto.Builder graph, List<String> levels, String output) {
    graph.addNode(
        GraphNodes.node("Concat", levels, output).addAttribute(GraphNodes.integer("axis", 0)));
  }

  private static void removeInput(GraphProto.Builder graph) {
    for (int i = graph.getInputCount() - 1; i >= 0; i--) {
      if (graph.getInput(i).getName().equals(INPUT)) {
        graph.removeInput(i);
      }
    }
  }

  private static void removeOutputs(GraphProto.Builder graph) {
    for (int i = graph.getOutputCount() - 1; i >= 0; i--) {
      if (graph.getOutput(i).getName().startsWith(OUTPUT)) {
        graph.removeOutput(i);
      }
    }
  }
}
