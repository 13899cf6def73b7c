package dev.squint.image;

/**
 * An image with a margin of one colour, which takes no memory: around a long image it can be far
 * larger than the image.
 *
 * @param image the image
 * @param left columns of the colour before it
 * @param top rows of the colour above it
 * @param width columns with those around
 * @param height rows with those around
 * @param color the colour
 */
public record Canvas(RgbImage image, int left, int top, int width, int height, Color color) {

  /**
   * A colour, each channel from 0 to 255.
   *
   * @param red its red
   * @param green its green
   * @param blue its blue
   */
  public record Color(int red, int green, int blue) {

    static final Color BLACK = new Color(0, 0, 0);

    int sample(int channel) {
      return channel == 0 ? red : channel == 1 ? green : blue;
    }
  }

  /** An image without a margin. */
  public static Canvas of(RgbImage image) {
    return new Canvas(image, 0, 0, image.width(), image.height(), Color.BLACK);
  }

  /** An image in the middle of a square, an odd pixel more to its right or below it. */
  public static Canvas square(RgbImage image, Color color) {
    int side = Math.max(image.width(), image.height());
    return new Canvas(
        image, (side - image.width()) / 2, (side - image.height()) / 2, side, side, color);
  }

  boolean isBare() {
    return width == image.width() && height == image.height();
  }

  int sample(int x, int y, int channel) {
    int column = x - left;
    int row = y - top;
    boolean inside = column >= 0 && column < image.width() && row >= 0 && row < image.height();
    return inside ? image.sample(column, row, channel) : color.sample(channel);
  }

  /** Its rows, but for those above and below the image. */
  Resampler.Strip rows() {
    return new Resampler.Strip(image, left, width, color);
  }

  /** Its columns, the image having been resized along its rows and turned. */
  Resampler.Strip columns(RgbImage turned) {
    return new Resampler.Strip(turned, top, height, color);
  }
}
