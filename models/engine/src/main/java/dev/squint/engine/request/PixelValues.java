package dev.squint.engine.request;

import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;

/**
 * What the vision encoder takes of one image: its pixel values, and what else the graph wants to
 * know of them.
 *
 * @param data a direct buffer in native order with as many floats as the shape says
 * @param shape {@code [tiles, 3, height, width]}; {@code [1, tiles, 3, height, width]} where the
 *     encoder takes the tiles of several images at once; {@code [patches, values]} where it takes
 *     patches
 * @param others the other inputs by their names in the graph
 * @param packing how features become visual tokens; empty where each is one, in their order
 */
public record PixelValues(
    FloatBuffer data,
    long[] shape,
    Map<String, IntegerInput> others,
    Optional<FeaturePacking> packing) {

  private static final int PATCHES_RANK = 2;
  private static final int TILES_RANK = 4;
  private static final int BATCH_RANK = 5;

  /** Checks that data and shape agree. */
  public PixelValues {
    boolean known =
        shape.length == PATCHES_RANK || shape.length == TILES_RANK || shape.length == BATCH_RANK;
    if (!known || Arrays.stream(shape).anyMatch(d -> d < 1)) {
      throw new ModelException(
          Kind.BAD_REQUEST,
          "pixel values need the shape [tiles, 3, height, width], [1, tiles, 3, height, width] or [patches, values], got "
              + Arrays.toString(shape));
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
    others = Map.copyOf(others);
  }

  /** Of an encoder that wants nothing else. */
  public PixelValues(FloatBuffer data, long[] shape) {
    this(data, shape, Map.of());
  }

  /** Of an encoder whose features are the visual tokens. */
  public PixelValues(FloatBuffer data, long[] shape, Map<String, IntegerInput> others) {
    this(data, shape, others, Optional.empty());
  }

  /** The same with features that have yet to become visual tokens. */
  public PixelValues packed(FeaturePacking how) {
    return new PixelValues(data, shape, others, Optional.of(how));
  }

  /** Images of nothing. */
  public static PixelValues blank(long[] shape) {
    return new PixelValues(buffer(shape), shape);
  }

  /** A buffer for pixel values of a shape, as they have to be given: direct, in native order. */
  public static FloatBuffer buffer(long... shape) {
    long size = Arrays.stream(shape).reduce(Float.BYTES, Math::multiplyExact);
    return ByteBuffer.allocateDirect(Math.toIntExact(size))
        .order(ByteOrder.nativeOrder())
        .asFloatBuffer();
  }

  /** How many images the tower sees for it. */
  public int tiles() {
    return shape.length == PATCHES_RANK
        ? 1
        : Math.toIntExact(shape.length == BATCH_RANK ? shape[0] * shape[1] : shape[0]);
  }

  /**
   * Patches of each tile.
   *
   * @param side of a patch, in pixels
   */
  public int patches(int side) {
    return Math.toIntExact(
        shape.length == PATCHES_RANK
            ? shape[0]
            : (shape[shape.length - 2] / side) * (shape[shape.length - 1] / side));
  }

  @Override
  public long[] shape() {
    return shape.clone();
  }
}
