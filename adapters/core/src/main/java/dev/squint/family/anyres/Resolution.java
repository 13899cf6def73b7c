package dev.squint.family.anyres;

import java.util.List;

/**
 * A size that images may be resized to before they are cut into tiles.
 *
 * @param height its rows of pixels
 * @param width its pixels a row
 */
record Resolution(int height, int width) {

  /**
   * The one in which most of an image's pixels fit, and of these the first with the least margin.
   *
   * @param all at least one
   * @param width the image's pixels a row
   * @param height its rows
   */
  static Resolution best(List<Resolution> all, int width, int height) {
    Resolution best = all.get(0);
    long most = 0;
    long least = Long.MAX_VALUE;
    for (Resolution one : all) {
      double scale = Math.min((double) one.width / width, (double) one.height / height);
      long fitting = ((long) (width * scale)) * (long) (height * scale);
      long shown = Math.min(fitting, (long) width * height);
      long margin = (long) one.width * one.height - shown;
      if (shown > most || (shown == most && margin < least)) {
        most = shown;
        least = margin;
        best = one;
      }
    }
    return best;
  }

  /**
   * How large an image is in it, in its own shape.
   *
   * @param imageWidth the image's pixels a row
   * @param imageHeight its rows
   */
  Resolution fitted(int imageWidth, int imageHeight) {
    double byWidth = (double) width / imageWidth;
    double byHeight = (double) height / imageHeight;
    return byWidth < byHeight
        ? new Resolution((int) Math.min(Math.ceil(imageHeight * byWidth), height), width)
        : new Resolution(height, (int) Math.min(Math.ceil(imageWidth * byHeight), width));
  }
}
