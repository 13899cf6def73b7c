package dev.squint.engine.request;

import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import java.util.Arrays;

/**
 * A small input that a vision encoder takes beside the pixel values: a mask, a grid, a size. It is
 * given as the type that the graph declares: bool, an integer or a float type.
 *
 * @param shape its axes
 * @param values its numbers, row-major, or one that stands for all
 */
public record IntegerInput(long[] shape, long[] values) {

  /** Checks that shape and numbers agree. */
  public IntegerInput {
    shape = shape.clone();
    values = values.clone();
    long size = Arrays.stream(shape).reduce(1, Math::multiplyExact);
    if (values.length != 1 && values.length != size) {
      throw new ModelException(
          Kind.BAD_REQUEST,
          "an input of shape %s needs %d numbers or one for all, got %d"
              .formatted(Arrays.toString(shape), size, values.length));
    }
  }

  /** One everywhere. */
  public static IntegerInput ones(long... shape) {
    return new IntegerInput(shape, new long[] {1});
  }

  /** How many numbers it stands for. */
  public int size() {
    return Math.toIntExact(Arrays.stream(shape).reduce(1, Math::multiplyExact));
  }

  /** The number at a place, row-major. */
  public long at(int place) {
    return values[values.length == 1 ? 0 : place];
  }

  @Override
  public long[] shape() {
    return shape.clone();
  }

  @Override
  public long[] values() {
    return values.clone();
  }
}
