package dev.squint.onnx.internal.graph;

import ai.onnx.proto.OnnxMl.TensorProto;
import java.util.Locale;
import java.util.OptionalLong;

/**
 * How much room a tensor declares. Types newer than the protobuf classes at hand are known by their
 * number.
 */
public final class ElementSize {

  static final int STRING = 8;

  private ElementSize() {}

  /** Bits of an element as raw data, 0 for strings, -1 for a type not known. */
  public static int bits(int elementType) {
    return switch (elementType) {
      case 1, 6, 12 -> 32;
      case 2, 3, 9, 17, 18, 19, 20, 24 -> 8;
      case 4, 5, 10, 16 -> 16;
      case 7, 11, 13, 14 -> 64;
      case STRING -> 0;
      case 15 -> 128;
      case 21, 22, 23 -> 4;
      case 25, 26 -> 2;
      default -> -1;
    };
  }

  /** Whether ONNX knows the type. */
  static boolean isKnown(int elementType) {
    return bits(elementType) >= 0;
  }

  /** The name of a type, for people: {@code float16}, or {@code type-99} for one not known. */
  public static String name(int elementType) {
    TensorProto.DataType type = TensorProto.DataType.forNumber(elementType);
    if (type != null) {
      return type.name().toLowerCase(Locale.ROOT);
    }
    return switch (elementType) {
      case 23 -> "float4e2m1";
      case 24 -> "float8e8m0";
      case 25 -> "uint2";
      case 26 -> "int2";
      default -> "type-" + elementType;
    };
  }

  /** The number of elements, empty where a dimension is negative or the number is no long. */
  public static OptionalLong elements(TensorProto tensor) {
    long count = 1;
    boolean empty = false;
    for (long dimension : tensor.getDimsList()) {
      if (dimension < 0) {
        return OptionalLong.empty();
      }
      empty |= dimension == 0;
    }
    if (empty) {
      return OptionalLong.of(0);
    }
    for (long dimension : tensor.getDimsList()) {
      long high = Math.multiplyHigh(count, dimension);
      count *= dimension;
      if (high != 0 || count < 0) {
        return OptionalLong.empty();
      }
    }
    return OptionalLong.of(count);
  }

  /** Bytes as raw data, empty where they are no long. */
  public static OptionalLong bytes(long elements, int bits) {
    boolean tooMany = bits > 0 && elements > Long.MAX_VALUE / bits - Byte.SIZE;
    return tooMany
        ? OptionalLong.empty()
        : OptionalLong.of((elements * bits + Byte.SIZE - 1) / Byte.SIZE);
  }
}
