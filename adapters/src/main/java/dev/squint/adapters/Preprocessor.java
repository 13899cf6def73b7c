package dev.squint.adapters;

import dev.squint.models.ModelException;
import dev.squint.models.ModelJson;
import dev.squint.models.PixelValues;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Picture to pixel values as {@code preprocessor_config.json} says (the fields of the hub's {@code
 * CLIPImageProcessor}): resize, crop the centre, rescale, normalise.
 *
 * @param shortestEdge resize so that the shorter side has this many pixels; empty to resize to the
 *     crop size whatever the shape
 * @param width pixels a row that the model takes
 * @param height rows that the model takes
 * @param resampler how to resize; empty to leave the size as it is
 * @param factor samples are multiplied by this
 * @param mean subtracted from each channel after that
 * @param deviation each channel is divided by this then
 */
record Preprocessor(
    OptionalInt shortestEdge,
    int width,
    int height,
    Optional<Resampler> resampler,
    double factor,
    double[] mean,
    double[] deviation) {

  private static final String FILE = "preprocessor_config.json";
  private static final String FILTER = "resample";
  static final int MOST_SIDE = 4096;
  private static final int LONGEST_RESIZED = 1 << 20;
  private static final double LEAST = 1e-6;
  private static final double MOST = 1e6;

  static Preprocessor read(Path folder) {
    ModelJson json = ModelJson.read(folder.resolve(FILE));
    boolean crops = json.flag("do_center_crop").orElse(false);
    int edge = side(json, "size", "shortest_edge").orElse(0);
    String target = crops ? "crop_size" : "size";
    int height = side(json, target, "height").orElse(edge);
    int width = side(json, target, "width").orElse(edge);
    if (width < 1 || height < 1) {
      throw new ModelException(
          json.file() + " names no positive 'size' or 'crop_size'; download or export it again");
    }
    return new Preprocessor(
        edge > 0 ? OptionalInt.of(edge) : OptionalInt.empty(),
        width,
        height,
        json.flag("do_resize").orElse(true) ? Optional.of(resampler(json)) : Optional.empty(),
        json.flag("do_rescale").orElse(true)
            ? json.number("rescale_factor", LEAST, MOST).orElse(1 / 255.0)
            : 1,
        channels(json, "image_mean", 0, -MOST),
        channels(json, "image_std", 1, LEAST));
  }

  private static Resampler resampler(ModelJson json) {
    return json.isInt(FILTER)
        ? Resampler.ofPillow(json.whole(FILTER, Integer.MIN_VALUE, Integer.MAX_VALUE).orElseThrow())
        : json.whole(FILTER, 0, Resampler.values().length - 1)
            .map(Resampler::ofPillow)
            .orElse(Resampler.BICUBIC);
  }

  /** A field that is one number for all sides or an object of these. */
  private static Optional<Integer> side(ModelJson json, String field, String name) {
    return json.isNumber(field)
        ? json.whole(field, 1, MOST_SIDE)
        : json.section(field).whole(name, 1, MOST_SIDE);
  }

  /** Refuses a tower that takes pictures of another size. */
  void checkFits(int side) {
    if (width != side || height != side) {
      throw new ModelException(
          "%s makes pictures of %dx%d pixels, but config.json says that the vision tower takes %dx%d; use the files of one model"
              .formatted(FILE, width, height, side, side));
    }
  }

  private static double[] channels(ModelJson json, String field, double unused, double least) {
    if (!json.flag("do_normalize").orElse(true)) {
      return new double[] {unused, unused, unused};
    }
    return json.numbers(field, 3, least, MOST)
        .orElseThrow(
            () ->
                new ModelException(
                    "%s has no '%s' of three numbers; copy it from where the model came from"
                        .formatted(json.file(), field)));
  }

  /** Pixel values [1, 3, height, width] of a picture. */
  PixelValues apply(Picture picture) {
    return values(seen(picture));
  }

  /**
   * Pixel values [1, 3, high, wide] of a picture resized further than the model asks for: the same
   * crop in another size, resampled once.
   *
   * @param wide pixels a row
   * @param high rows
   */
  PixelValues apply(Picture picture, int wide, int high) {
    return values(seen(picture, wide, high));
  }

  private PixelValues values(Picture seen) {
    FloatBuffer data =
        ByteBuffer.allocateDirect(seen.rgb().length * Float.BYTES)
            .order(ByteOrder.nativeOrder())
            .asFloatBuffer();
    for (int channel = 0; channel < 3; channel++) {
      for (int y = 0; y < seen.height(); y++) {
        for (int x = 0; x < seen.width(); x++) {
          double value = factor * seen.sample(x, y, channel);
          data.put((float) ((value - mean[channel]) / deviation[channel]));
        }
      }
    }
    return new PixelValues(data.flip(), new long[] {1, 3, seen.height(), seen.width()});
  }

  /**
   * The picture as the model sees it: resized and cropped, still 8 bits a sample. Where it is
   * smaller than the crop there is black around it.
   */
  Picture seen(Picture picture) {
    return seen(picture, width, height);
  }

  private Picture seen(Picture picture, int wide, int high) {
    int resizedWide = picture.width();
    int resizedHigh = picture.height();
    if (resampler.isEmpty()) {
      if (wide != width || high != height) {
        throw new ModelException(
            FILE + " says not to resize; only pictures of the model's own size can be seen");
      }
    } else if (shortestEdge.isEmpty()) {
      resizedWide = wide;
      resizedHigh = high;
    } else {
      // So that a crop of so many pixels shows what the model's own crop shows.
      int shorter = Math.min(picture.width(), picture.height());
      resizedWide = resized(picture.width(), shorter, wide, width);
      resizedHigh = resized(picture.height(), shorter, high, height);
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
    Picture part =
        resampler.orElse(Resampler.NEAREST).resize(picture, resizedWide, resizedHigh, window);
    byte[] rgb = new byte[3 * wide * high];
    for (int y = 0; y < part.height(); y++) {
      int target = 3 * ((y + window.top() - top) * wide + window.left() - left);
      System.arraycopy(part.rgb(), 3 * y * part.width(), rgb, target, 3 * part.width());
    }
    return new Picture(wide, high, rgb);
  }

  private int resized(int side, int shorter, int wanted, int own) {
    long edge = shortestEdge.getAsInt();
    long resized = Math.max(1, edge * side / shorter * wanted / own);
    if (resized > LONGEST_RESIZED) {
      throw new ModelException(
          "%s asks to resize a side of a picture from %d to %d pixels, more than %d; use the file of this model"
              .formatted(FILE, side, resized, LONGEST_RESIZED));
    }
    return (int) resized;
  }
}
