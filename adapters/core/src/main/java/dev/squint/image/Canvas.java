package dev.squint.image;

/**
 * A picture with a margin of one colour, which takes no memory: around a long picture it can be far
 * larger than the picture.
 *
 * @param picture the picture
 * @param left columns of the colour before it
 * @param top rows of the colour above it
 * @param width columns with those around
 * @param height rows with those around
 * @param color the colour
 */
public record Canvas(Picture picture, int left, int top, int width, int height, Color color) {

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

  /** A picture without a margin. */
  public static Canvas of(Picture picture) {
    return new Canvas(picture, 0, 0, picture.width(), picture.height(), Color.BLACK);
  }

  /** A picture in the middle of a square, an odd pixel more to its right or below it. */
  public static Canvas square(Picture picture, Color color) {
    int side = Math.max(picture.width(), picture.height());
    return new Canvas(
        picture, (side - picture.width()) / 2, (side - picture.height()) / 2, side, side, color);
  }

  boolean isBare() {
    return width == picture.width() && height == picture.height();
  }

  int sample(int x, int y, int channel) {
    int column = x - left;
    int row = y - top;
    boolean inside = column >= 0 && column < picture.width() && row >= 0 && row < picture.height();
    return inside ? picture.sample(column, row, channel) : color.sample(channel);
  }

  /** Its rows, but for those above and below the picture. */
  Resampler.Strip rows() {
    return new Resampler.Strip(picture, left, width, color);
  }

  /** Its columns, the picture having been resized along its rows and turned. */
  Resampler.Strip columns(Picture turned) {
    return new Resampler.Strip(turned, top, height, color);
  }
}
