package dev.squint.family.qwenvl;

import dev.squint.engine.request.IntegerInput;
import dev.squint.engine.request.PixelValues;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import dev.squint.family.ImageOptions;
import dev.squint.image.Resampler;
import dev.squint.image.RgbImage;
import dev.squint.processor.Normalization;
import java.nio.FloatBuffer;
import java.util.Map;
import java.util.Optional;

/**
 * Images to pixel values as {@code Qwen2VLImageProcessor} makes them: resized to whole tokens,
 * rescaled, normalised, and cut into patches. Those of a token follow each other, tokens go row by
 * row; a patch holds its channels, each as often as a moment of a video has frames.
 *
 * @param source the file that says so, for messages
 * @param resize to which size
 * @param resampler how; empty to leave the size as it is
 * @param normalization samples to pixel values
 * @param patch pixels of a side of a patch
 * @param merge rows and columns of the patches of a token
 * @param frames how often an image stands in its patches
 */
record QwenImages(
    String source,
    SmartResize resize,
    Optional<Resampler> resampler,
    Normalization normalization,
    int patch,
    int merge,
    int frames) {

  /** The image as the model sees it, 8 bits a sample. */
  RgbImage seen(RgbImage image, ImageOptions options) {
    int unit = patch * merge;
    if (resampler.isEmpty()) {
      if (!options.isOwnSize()) {
        throw new ModelException(
            Kind.BAD_REQUEST, source + " says not to resize; ask without bounds of pixels");
      }
      if (image.width() % unit != 0 || image.height() % unit != 0) {
        throw new ModelException(
            Kind.BAD_REQUEST,
            "%s says not to resize, and an image of %dx%d pixels does not divide into tokens of %dx%d; resize it before"
                .formatted(source, image.width(), image.height(), unit, unit));
      }
      return image;
    }
    SmartResize.Size size = resize.with(options).of(image.width(), image.height());
    return resampler.get().resize(image, size.width(), size.height());
  }

  /** The image resized to so many tokens. */
  RgbImage seen(RgbImage image, int rows, int columns) {
    long wide = (long) columns * patch * merge;
    long high = (long) rows * patch * merge;
    if (rows < 1 || columns < 1 || wide * high > SmartResize.LARGEST) {
      throw new ModelException(
          Kind.BAD_REQUEST,
          "a grid of %d x %d visual tokens is no image of 1 to %,d pixels; choose another grid"
              .formatted(rows, columns, SmartResize.LARGEST));
    }
    return resampler.orElse(Resampler.BICUBIC).resize(image, (int) wide, (int) high);
  }

  /**
   * What the vision encoder takes of an image.
   *
   * @param seen an image of whole tokens
   * @param grid name of the input for the grid of patches
   */
  PixelValues values(RgbImage seen, String grid) {
    int rows = seen.height() / patch;
    int columns = seen.width() / patch;
    float[][] table = normalization.table();
    int values = 3 * frames * patch * patch;
    long[] shape = {(long) rows * columns, values};
    FloatBuffer data = PixelValues.buffer(shape);
    for (int row = 0; row < rows; row += merge) {
      for (int column = 0; column < columns; column += merge) {
        for (int i = 0; i < merge * merge; i++) {
          putPatch(data, seen, row + i / merge, column + i % merge, table);
        }
      }
    }
    return new PixelValues(
        data.flip(),
        shape,
        Map.of(grid, new IntegerInput(new long[] {1, 3}, new long[] {1, rows, columns})));
  }

  private void putPatch(FloatBuffer data, RgbImage seen, int row, int column, float[][] table) {
    for (int channel = 0; channel < 3; channel++) {
      for (int frame = 0; frame < frames; frame++) {
        for (int y = row * patch; y < (row + 1) * patch; y++) {
          for (int x = column * patch; x < (column + 1) * patch; x++) {
            data.put(table[channel][seen.sample(x, y, channel)]);
          }
        }
      }
    }
  }
}
