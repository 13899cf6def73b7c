package dev.squint.models.graph;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import java.util.Optional;

/** The attributes of a node, by name. */
record Attributes(NodeProto node) {

  private Optional<AttributeProto> find(String name) {
    return node.getAttributeList().stream().filter(a -> a.getName().equals(name)).findFirst();
  }

  long integer(String name, long otherwise) {
    return find(name).map(AttributeProto::getI).orElse(otherwise);
  }

  float number(String name, float otherwise) {
    return find(name).map(AttributeProto::getF).orElse(otherwise);
  }

  /** The name of an input, or an empty string where it is left out. */
  String input(int index) {
    return index < node.getInputCount() ? node.getInput(index) : "";
  }

  /** The name of an output, or an empty string where it is left out. */
  String output(int index) {
    return index < node.getOutputCount() ? node.getOutput(index) : "";
  }
}
