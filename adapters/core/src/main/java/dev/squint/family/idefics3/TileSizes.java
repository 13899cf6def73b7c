package dev.squint.family.idefics3;

import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import java.util.OptionalLong;

/**
 * The sizes that an image goes through: it is resized for the first time, then to whole tiles
 * without regard to its shape, or to a single one.
 *
 * @param first to what it is resized for the first time
 * @param splits whether it is cut into tiles
 * @param tile pixels of a side of a tile
 */
record TileSizes(First first, boolean splits, int tile) {

  private static final int LONGEST = 4096;

  /** Sides in pixels. */
  record Size(int width, int height) {}

  /** To what an image is resized for the first time. */
  sealed interface First {

    /** The size that an image gets. */
    Size of(int width, int height);
  }

  /** It stays as it is. */
  record Unchanged() implements First {
    @Override
    public Size of(int width, int height) {
      return new Size(width, height);
    }
  }

  /**
   * The same size whatever the shape.
   *
   * @param width pixels a row
   * @param height rows
   */
  record Exact(int width, int height) implements First {
    @Override
    public Size of(int imageWidth, int imageHeight) {
      return new Size(width, height);
    }
  }

  /**
   * A size whose longer side is given, though it were longer than the image's, and whose other side
   * is even and keeps the shape.
   *
   * @param edge the longer side
   */
  record LongestEdge(int edge) implements First {
    @Override
    public Size of(int width, int height) {
      double ratio = (double) width / height;
      Size size =
          width >= height
              ? new Size(edge, Math.max(1, even((int) (edge / ratio))))
              : new Size(Math.max(1, even((int) (edge * ratio))), edge);
      if (edge <= LONGEST) {
        return size;
      }
      double rounded = (double) size.width() / size.height();
      return size.width() >= size.height()
          ? new Size(LONGEST, Math.max(1, (int) (LONGEST / rounded)))
          : new Size(Math.max(1, (int) (LONGEST * rounded)), LONGEST);
    }

    private static int even(int side) {
      return side + side % 2;
    }
  }

  /** What an image becomes. */
  Tiling of(int width, int height) {
    if (!splits) {
      return new Tiling(tile, tile, 0, 0);
    }
    Size size = first.of(width, height);
    double ratio = (double) size.width() / size.height();
    int wide;
    int high;
    if (size.width() >= size.height()) {
      wide = whole(size.width());
      high = whole((int) (wide / ratio));
    } else {
      high = whole(size.height());
      wide = whole((int) (high * ratio));
    }
    return wide > tile || high > tile
        ? new Tiling(wide, high, high / tile, wide / tile)
        : new Tiling(wide, high, 0, 0);
  }

  private int whole(int side) {
    return (side + tile - 1) / tile * tile;
  }

  /**
   * Sizes of an image that may have so many pixels: the longer side is shortened by whole tiles
   * until they are few enough.
   *
   * @param width pixels a row of the image
   * @param height its rows
   * @param least pixels that the resized image has at least
   * @param most pixels that it has at most
   * @throws ModelException if that cannot be
   */
  TileSizes within(int width, int height, OptionalLong least, OptionalLong most) {
    TileSizes sizes = this;
    while (most.isPresent()
        && sizes.of(width, height).pixels() > most.getAsLong()
        && sizes.splits
        && sizes.first instanceof LongestEdge longest
        && longest.edge > tile) {
      sizes = new TileSizes(new LongestEdge(Math.max(tile, longest.edge - tile)), true, tile);
    }
    long pixels = sizes.of(width, height).pixels();
    if (most.isPresent() && pixels > most.getAsLong()) {
      throw new ModelException(
          Kind.BAD_REQUEST,
          "the model sees an image of %dx%d in %,d pixels at least, more than the %,d allowed; allow more"
              .formatted(width, height, pixels, most.getAsLong()));
    }
    if (least.isPresent() && pixels < least.getAsLong()) {
      throw new ModelException(
          Kind.BAD_REQUEST,
          "the model sees an image of %dx%d in %,d pixels, fewer than the %,d asked for; ask for fewer"
              .formatted(width, height, pixels, least.getAsLong()));
    }
    return sizes;
  }
}
