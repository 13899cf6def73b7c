package dev.squint.processor;

import dev.squint.engine.request.PixelValues;
import dev.squint.error.ModelException;
import dev.squint.image.Canvas;
import dev.squint.image.Resampler;
import dev.squint.image.RgbImage;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Optional;

/**
 * RgbImage to pixel values as the image processor of a model folder does it: pad to a square,
 * resize, crop the centre, rescale, normalise. {@link ProcessorFile} reads it.
 *
 * @param source the file that says so, for messages
 * @param padding the colour with which images become squares; empty to leave their shape
 * @param size how to resize
 * @param width pixels a row that the model takes
 * @param height rows that the model takes
 * @param resampler how to resize; empty to leave the size as it is
 * @param normalization how samples become pixel values
 */
public record Preprocessor(
    String source,
    Optional<Canvas.Color> padding,
    Resizing size,
    int width,
    int height,
    Optional<Resampler> resampler,
    Normalization normalization) {

  public static final int MOST_SIDE = 4096;
  private static final int LONGEST_RESIZED = 1 << 20;

  public static Preprocessor read(Path folder) {
    return ProcessorFile.read(folder).toPreprocessor();
  }

  /** Refuses a tower that takes images of another size. */
  public void checkFits(int side) {
    if (width != side || height != side) {
      throw new ModelException(
          "%s makes images of %dx%d pixels, but config.json says that the vision tower takes %dx%d; use the files of one model"
              .formatted(source, width, height, side, side));
    }
  }

  /** Pixel values [1, 3, height, width] of an image. */
  public PixelValues apply(RgbImage image) {
    return values(seen(image));
  }

  /**
   * Pixel values [1, 3, high, wide] of an image resized further than the model asks for: the same
   * crop in another size, resampled once.
   *
   * @param wide pixels a row
   * @param high rows
   */
  public PixelValues apply(RgbImage image, int wide, int high) {
    return values(seen(image, wide, high));
  }

  private PixelValues values(RgbImage seen) {
    long[] shape = {1, 3, seen.height(), seen.width()};
    FloatBuffer data = PixelValues.buffer(shape);
    normalization.put(seen, data);
    return new PixelValues(data.flip(), shape);
  }

  /**
   * The image as the model sees it: padded, resized and cropped, still 8 bits a sample. Where it is
   * smaller than the crop there is black around it.
   */
  public RgbImage seen(RgbImage image) {
    return seen(image, width, height);
  }

  private RgbImage seen(RgbImage image, int wide, int high) {
    Canvas canvas =
        padding.map(color -> Canvas.square(image, color)).orElseGet(() -> Canvas.of(image));
    int resizedWide = canvas.width();
    int resizedHigh = canvas.height();
    if (resampler.isEmpty()) {
      if (wide != width || high != height) {
        throw new ModelException(
            source + " says not to resize; only images of the model's own size can be seen");
      }
    } else {
      // So that a crop of so many pixels shows what the model's own crop shows.
      Resizing.Size own = size.of(canvas.width(), canvas.height());
      resizedWide = resized(canvas.width(), own.width(), wide, width);
      resizedHigh = resized(canvas.height(), own.height(), high, height);
    }
    int left = Math.floorDiv(resizedWide - wide, 2);
    int top = Math.floorDiv(resizedHigh - high, 2);
    Resampler.Window window =
        new Resampler.Window(
            Math.max(0, left),
            Math.max(0, top),
            Math.min(resizedWide, left + wide),
            Math.min(resizedHigh, top + high));
    // To the size that it has nearest only copies.
    RgbImage part =
        resampler.orElse(Resampler.NEAREST).resize(canvas, resizedWide, resizedHigh, window);
    byte[] rgb = new byte[3 * wide * high];
    for (int y = 0; y < part.height(); y++) {
      int target = 3 * ((y + window.top() - top) * wide + window.left() - left);
      System.arraycopy(part.rgb(), 3 * y * part.width(), rgb, target, 3 * part.width());
    }
    return new RgbImage(wide, high, rgb);
  }

  private int resized(int side, int own, int wanted, int seen) {
    long resized = Math.max(1, Math.max(1L, own) * wanted / seen);
    if (resized > LONGEST_RESIZED) {
      throw new ModelException(
          "%s asks to resize a side of an image from %d to %d pixels, more than %d; use the file of this model"
              .formatted(source, side, resized, LONGEST_RESIZED));
    }
    return (int) resized;
  }
}
