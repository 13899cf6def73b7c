package dev.squint.onnx.internal.graph;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.SparseTensorProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.squint.error.ModelException;
import dev.squint.onnx.internal.io.Printable;
import java.nio.file.Path;
import java.util.OptionalLong;

/**
 * Whether the tensors of a graph, those in attributes and subgraphs included, hold as much data as
 * their shapes declare. Whoever allocates by the shape, or reads by it, is then safe.
 *
 * @param file the file, for messages
 * @param external where data outside the file lies
 */
record TensorCheck(Path file, ExternalData external) {

  private static final int PACKED_BITS = 8;

  /**
   * Checks all tensors of a graph.
   *
   * @throws ModelException if one of them lacks data, has too much, or may not be read
   */
  void check(GraphProto graph) {
    graph.getInitializerList().forEach(this::check);
    graph.getSparseInitializerList().forEach(this::check);
    for (NodeProto node : graph.getNodeList()) {
      for (AttributeProto attribute : node.getAttributeList()) {
        if (attribute.hasT()) {
          check(attribute.getT());
        }
        if (attribute.hasSparseTensor()) {
          check(attribute.getSparseTensor());
        }
        if (attribute.hasG()) {
          check(attribute.getG());
        }
        attribute.getTensorsList().forEach(this::check);
        attribute.getSparseTensorsList().forEach(this::check);
        attribute.getGraphsList().forEach(this::check);
      }
    }
  }

  private void check(SparseTensorProto sparse) {
    check(sparse.getValues());
    check(sparse.getIndices());
  }

  private void check(TensorProto tensor) {
    int bits = ElementSize.bits(tensor.getDataType());
    OptionalLong elements = ElementSize.elements(tensor);
    OptionalLong bytes =
        elements.isEmpty() ? elements : ElementSize.bytes(elements.getAsLong(), Math.max(bits, 0));
    if (bytes.isEmpty()) {
      throw new ModelException(
          "%s: weight '%s' declares the impossible shape %s; the file is damaged, export it again"
              .formatted(file, Printable.of(tensor.getName()), shape(tensor)));
    }
    boolean outside = tensor.getDataLocation() == TensorProto.DataLocation.EXTERNAL;
    if (outside) {
      ExternalData.Range range = external.locate(tensor);
      long held =
          range.length() < 0 ? Math.min(range.available(), bytes.getAsLong()) : range.length();
      refuseUnless(bits > 0 ? held == bytes.getAsLong() : bits < 0, tensor, bytes, held);
    } else if (tensor.hasRawData()) {
      long held = tensor.getRawData().size();
      refuseUnless(bits < 0 || held == bytes.getAsLong() && bits > 0, tensor, bytes, held);
    } else {
      checkTyped(tensor, bits, elements.getAsLong());
    }
    if (bits < 0) {
      throw new ModelException(
          "%s: weight '%s' is of element type %d, which ONNX does not have; the file is damaged, export it again"
              .formatted(file, Printable.of(tensor.getName()), tensor.getDataType()));
    }
  }

  private void refuseUnless(boolean fits, TensorProto tensor, OptionalLong bytes, long held) {
    if (!fits) {
      throw new ModelException(
          "%s: weight '%s' of shape %s and element type %d needs %d bytes, but %d are there; the file is damaged, download or export it again"
              .formatted(
                  file,
                  Printable.of(tensor.getName()),
                  shape(tensor),
                  tensor.getDataType(),
                  bytes.getAsLong(),
                  held));
    }
  }

  private void checkTyped(TensorProto tensor, int bits, long elements) {
    long perElement = isComplex(tensor) ? 2 : 1;
    long held =
        (tensor.getFloatDataCount() + tensor.getDoubleDataCount()) / perElement
            + tensor.getInt32DataCount()
            + tensor.getInt64DataCount()
            + tensor.getUint64DataCount()
            + tensor.getStringDataCount();
    boolean packs = bits > 0 && bits < PACKED_BITS;
    boolean fits =
        packs ? held <= elements && held >= elements / (PACKED_BITS / bits) : held == elements;
    if (!fits && bits >= 0) {
      throw new ModelException(
          "%s: weight '%s' of shape %s needs %d values, but %d are there; the file is damaged, download or export it again"
              .formatted(file, Printable.of(tensor.getName()), shape(tensor), elements, held));
    }
  }

  private static String shape(TensorProto tensor) {
    return Printable.of(tensor.getDimsList().toString());
  }

  private static boolean isComplex(TensorProto tensor) {
    return tensor.getDataType() == TensorProto.DataType.COMPLEX64_VALUE
        || tensor.getDataType() == TensorProto.DataType.COMPLEX128_VALUE;
  }
}
