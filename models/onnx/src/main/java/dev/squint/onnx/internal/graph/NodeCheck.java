package dev.squint.onnx.internal.graph;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.AttributeProto.AttributeType;
import ai.onnx.proto.OnnxMl.NodeProto;
import dev.squint.error.ModelException;
import dev.squint.onnx.internal.io.Printable;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.Set;

/**
 * Whether a node is well formed: its names are text, its attributes hold what they say. What its
 * operator takes ONNX Runtime knows; here nobody counts on any of it ({@link Attributes}).
 *
 * @param file the file, for messages
 */
record NodeCheck(Path file) {

  /**
   * Checks a node, not what is in the graphs inside of it.
   *
   * @throws ModelException if something is missing, there twice, or not of its kind
   */
  void check(NodeProto node) {
    boolean plain =
        isPlain(node.getOpType())
            && isPlain(node.getDomain())
            && isPlain(node.getName())
            && node.getInputList().stream().allMatch(NodeCheck::isPlain)
            && node.getOutputList().stream().allMatch(NodeCheck::isPlain);
    if (!plain) {
      throw damaged(node, "has a name that is no text");
    }
    Set<String> names = new HashSet<>();
    for (AttributeProto attribute : node.getAttributeList()) {
      if (attribute.getName().isEmpty()
          || !isPlain(attribute.getName())
          || !names.add(attribute.getName())) {
        throw damaged(
            node,
            "has an attribute '%s' that has no name or is there twice"
                .formatted(Printable.of(attribute.getName())));
      }
      checkAttribute(node, attribute);
    }
  }

  /** Native code takes names up to their first NUL; what is no UTF-8 reads as U+FFFD. */
  static boolean isPlain(String name) {
    return name.indexOf('\0') < 0 && name.indexOf('\ufffd') < 0;
  }

  private void checkAttribute(NodeProto node, AttributeProto attribute) {
    Set<AttributeType> held = held(attribute);
    if (held.contains(AttributeType.SPARSE_TENSOR) || held.contains(AttributeType.SPARSE_TENSORS)) {
      throw sparse(file, attribute.getName());
    }
    AttributeType type = attribute.getType();
    boolean single = type.getNumber() < AttributeType.FLOATS_VALUE || isSingle(type);
    boolean fits =
        !attribute.hasRefAttrName()
            && (type == AttributeType.UNDEFINED
                ? held.size() <= 1
                : held.equals(Set.of(type)) || held.isEmpty() && !single);
    if (!fits) {
      throw damaged(
          node,
          "has an attribute '%s' of type %s, which holds %s"
              .formatted(
                  Printable.of(attribute.getName()),
                  type,
                  attribute.hasRefAttrName() ? "a reference" : held.isEmpty() ? "nothing" : held));
    }
  }

  /**
   * ONNX Runtime makes sparse tensors dense as it reads them: a hundred bytes become as many
   * gigabytes as their shape says.
   */
  static ModelException sparse(Path file, String name) {
    return new ModelException(
        "%s: the weight '%s' is sparse, which is not supported; export it with dense weights"
            .formatted(file, Printable.of(name)));
  }

  private static boolean isSingle(AttributeType type) {
    return type == AttributeType.SPARSE_TENSOR || type == AttributeType.TYPE_PROTO;
  }

  private static Set<AttributeType> held(AttributeProto attribute) {
    Set<AttributeType> held = EnumSet.noneOf(AttributeType.class);
    add(held, AttributeType.FLOAT, attribute.hasF());
    add(held, AttributeType.INT, attribute.hasI());
    add(held, AttributeType.STRING, attribute.hasS());
    add(held, AttributeType.TENSOR, attribute.hasT());
    add(held, AttributeType.GRAPH, attribute.hasG());
    add(held, AttributeType.SPARSE_TENSOR, attribute.hasSparseTensor());
    add(held, AttributeType.TYPE_PROTO, attribute.hasTp());
    add(held, AttributeType.FLOATS, attribute.getFloatsCount() > 0);
    add(held, AttributeType.INTS, attribute.getIntsCount() > 0);
    add(held, AttributeType.STRINGS, attribute.getStringsCount() > 0);
    add(held, AttributeType.TENSORS, attribute.getTensorsCount() > 0);
    add(held, AttributeType.GRAPHS, attribute.getGraphsCount() > 0);
    add(held, AttributeType.SPARSE_TENSORS, attribute.getSparseTensorsCount() > 0);
    add(held, AttributeType.TYPE_PROTOS, attribute.getTypeProtosCount() > 0);
    return held;
  }

  private static void add(Set<AttributeType> held, AttributeType type, boolean there) {
    if (there) {
      held.add(type);
    }
  }

  private ModelException damaged(NodeProto node, String what) {
    return new ModelException(
        "%s: node %s %s; the file is damaged, export it again"
            .formatted(file, OnnxGraph.label(node), what));
  }
}
