package dev.squint.onnx.internal.graph;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import java.util.List;
import java.util.Optional;

/**
 * What a node has, asked for without trust: attributes by name, inputs and outputs by place. The
 * file may give any of them to any operator, or none.
 */
public record Attributes(NodeProto node) {

  private static final int MOST = 1 << 20;

  private Optional<AttributeProto> find(String name) {
    return node.getAttributeList().stream().filter(a -> a.getName().equals(name)).findFirst();
  }

  /** Whether its operator is one of ONNX itself. */
  public boolean isStandard() {
    return node.getDomain().isEmpty() || node.getDomain().equals("ai.onnx");
  }

  public long integer(String name, long otherwise) {
    return find(name).map(AttributeProto::getI).orElse(otherwise);
  }

  /**
   * A number that others are computed from, at least 1 and no more than there can be of anything.
   */
  public int count(String name, long otherwise) {
    return (int) Math.max(1, Math.min(integer(name, otherwise), MOST));
  }

  /** Whole numbers, none where it has no such attribute. */
  public List<Long> integers(String name) {
    return find(name).map(AttributeProto::getIntsList).orElse(List.of());
  }

  public float number(String name, float otherwise) {
    return find(name).map(AttributeProto::getF).orElse(otherwise);
  }

  /** The name of an input of a node, or an empty string where it is left out. */
  public static String input(NodeProto node, int index) {
    return new Attributes(node).input(index);
  }

  /** The name of an output of a node, or an empty string where it is left out. */
  public static String output(NodeProto node, int index) {
    return new Attributes(node).output(index);
  }

  /** The name of an input, or an empty string where it is left out. */
  public String input(int index) {
    return index < node.getInputCount() ? node.getInput(index) : "";
  }

  /** The name of an output, or an empty string where it is left out. */
  public String output(int index) {
    return index < node.getOutputCount() ? node.getOutput(index) : "";
  }
}
