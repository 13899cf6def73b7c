package dev.squint.engine.request;

import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;

/**
 * Preprocessed images.
 *
 * @param data a direct buffer in native order with as many floats as the shape says
 * @param shape {@code [images, 3, height, width]}
 */
public record PixelValues(FloatBuffer data, long[] shape) {

  /** Checks that data and shape agree. */
  public PixelValues {
    if (shape.length != 4 || Arrays.stream(shape).anyMatch(d -> d < 1)) {
      throw new ModelException(
          Kind.BAD_REQUEST,
          "pixel values need the shape [images, 3, height, width], got " + Arrays.toString(shape));
    }
    long size = Arrays.stream(shape).reduce(1, Math::multiplyExact);
    if (data.remaining() != size) {
      throw new ModelException(
          Kind.BAD_REQUEST,
          "pixel values of shape %s need %d floats, got %d"
              .formatted(Arrays.toString(shape), size, data.remaining()));
    }
    if (!data.isDirect()) {
      throw new ModelException(
          Kind.BAD_REQUEST, "pixel values need a direct buffer; copy the array into one first");
    }
    shape = shape.clone();
  }

  /** Images of nothing. */
  public static PixelValues blank(long[] shape) {
    int size = Math.toIntExact(Arrays.stream(shape).reduce(1, Math::multiplyExact));
    FloatBuffer zeros =
        ByteBuffer.allocateDirect(size * Float.BYTES)
            .order(ByteOrder.nativeOrder())
            .asFloatBuffer();
    return new PixelValues(zeros, shape);
  }

  @Override
  public long[] shape() {
    return shape.clone();
  }
}
