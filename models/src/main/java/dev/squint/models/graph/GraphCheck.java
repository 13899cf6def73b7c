package dev.squint.models.graph;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.squint.models.ModelException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/**
 * Whether every tensor of a graph is made exactly once and every operator has a version.
 *
 * @param file the file, for messages
 */
record GraphCheck(Path file) {

  /**
   * Checks the outer graph of a model.
   *
   * @throws ModelException if something is missing or there twice
   */
  void check(ModelProto model) {
    if (!model.hasGraph() || model.getGraph().getOutputCount() == 0) {
      throw new ModelException(
          file + " holds no ONNX graph: export the model again or download the file again");
    }
    checkOpsets(model);
    checkProducers(model.getGraph());
  }

  private void checkOpsets(ModelProto model) {
    boolean known =
        model.getOpsetImportList().stream()
            .anyMatch(opset -> isDefault(opset.getDomain()) && opset.getVersion() > 0);
    if (!known) {
      throw new ModelException(
          "%s does not say which opset of ONNX it is written in; export it again".formatted(file));
    }
  }

  private static boolean isDefault(String domain) {
    return domain.isEmpty() || domain.equals("ai.onnx");
  }

  private void checkProducers(GraphProto graph) {
    Set<String> given = new HashSet<>();
    graph.getInputList().stream().map(ValueInfoProto::getName).forEach(given::add);
    graph.getInitializerList().stream().map(TensorProto::getName).forEach(given::add);
    graph.getSparseInitializerList().forEach(sparse -> given.add(sparse.getValues().getName()));
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
