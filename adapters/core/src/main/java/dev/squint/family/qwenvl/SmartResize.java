package dev.squint.family.qwenvl;

import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import dev.squint.family.ImageOptions;

/**
 * To which size an image is resized: sides that are multiples of a token's, an area within bounds,
 * the aspect ratio as near as these let it.
 *
 * @param factor pixels of a side of a visual token
 * @param least the smallest area in pixels
 * @param most the largest area in pixels
 */
record SmartResize(int factor, long least, long most) {

  private static final double MOST_ASPECT = 200;

  /** Six floats of pixel values for each pixel, in one buffer. */
  static final long LARGEST = Integer.MAX_VALUE / (6 * Float.BYTES);

  /**
   * A size.
   *
   * @param width pixels a row
   * @param height rows
   */
  record Size(int width, int height) {}

  /** The same with the bounds of a request. */
  SmartResize with(ImageOptions options) {
    SmartResize other =
        new SmartResize(
            factor, options.minPixels().orElse(least), options.maxPixels().orElse(most));
    if (other.least > other.most) {
      throw new ModelException(
          Kind.BAD_REQUEST,
          "images of at least %d and at most %d pixels are asked for, the model's own bounds where the request names none; choose other bounds"
              .formatted(other.least, other.most));
    }
    return other;
  }

  /**
   * The size of an image for the model. Sides are rounded as Python rounds, half to even.
   *
   * @throws ModelException if the image is too long for its width
   */
  Size of(int width, int height) {
    if ((double) Math.max(width, height) / Math.min(width, height) > MOST_ASPECT) {
      throw new ModelException(
          Kind.BAD_REQUEST,
          "an image of %dx%d pixels has one side more than 200 times the other, which this model's processor refuses; crop it"
              .formatted(width, height));
    }
    double wide = Math.rint((double) width / factor) * factor;
    double high = Math.rint((double) height / factor) * factor;
    if (wide * high > most) {
      double share = Math.sqrt((double) ((long) width * height) / most);
      wide = Math.max(factor, Math.floor(width / share / factor) * factor);
      high = Math.max(factor, Math.floor(height / share / factor) * factor);
    } else if (wide * high < least) {
      double share = Math.sqrt((double) least / ((long) width * height));
      wide = Math.ceil(width * share / factor) * factor;
      high = Math.ceil(height * share / factor) * factor;
    }
    if (wide * high > LARGEST) {
      throw new ModelException(
          Kind.BAD_REQUEST,
          "an image of %dx%d pixels would be seen with more than %,d; ask with a smaller maximum of pixels"
              .formatted(width, height, LARGEST));
    }
    return new Size((int) wide, (int) high);
  }
}
