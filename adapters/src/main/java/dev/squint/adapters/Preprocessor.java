package dev.squint.adapters;

import com.fasterxml.jackson.databind.JsonNode;
import dev.squint.models.ModelException;
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

  static Preprocessor read(Path folder) {
    ModelJson json = ModelJson.read(folder, FILE);
    Path file = json.file();
    JsonNode root = json.root();
    JsonNode size = root.path("size");
    int edge = size.isInt() ? size.asInt() : size.path("shortest_edge").asInt(0);
    JsonNode target = root.path("do_center_crop").asBoolean(false) ? root.path("crop_size") : size;
    int height = target.isInt() ? target.asInt() : target.path("height").asInt(edge);
    int width = target.isInt() ? target.asInt() : target.path("width").asInt(edge);
    if (width < 1 || height < 1) {
      throw new ModelException(file + " names no positive 'size' or 'crop_size'");
    }
    return new Preprocessor(
        edge > 0 ? OptionalInt.of(edge) : OptionalInt.empty(),
        width,
        height,
        root.path("do_resize").asBoolean(true)
            ? Optional.of(Resampler.ofPillow(root.path("resample").asInt(3)))
            : Optional.empty(),
        root.path("do_rescale").asBoolean(true)
            ? root.path("rescale_factor").asDouble(1 / 255.0)
            : 1,
        channels(file, root, "image_mean", 0),
        channels(file, root, "image_std", 1));
  }

  /** Refuses a tower that takes pictures of another size. */
  void checkFits(int side) {
    if (width != side || height != side) {
      throw new ModelException(
          "%s makes pictures of %dx%d pixels, but config.json says that the vision tower takes %dx%d; use the files of one model"
              .formatted(FILE, width, height, side, side));
    }
  }

  private static double[] channels(Path file, JsonNode root, String field, double unused) {
    double[] values = {unused, unused, unused};
    if (root.path("do_normalize").asBoolean(true)) {
      for (int i = 0; i < 3; i++) {
        JsonNode value = root.path(field).path(i);
        if (!value.isNumber()) {
          throw new ModelException(
              "%s has no '%s' of three numbers; copy it from where the model came from"
                  .formatted(file, field));
        }
        values[i] = value.asDouble();
      }
    }
    return values;
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
    Picture resized = resize(picture, wide, high);
    int left = Math.floorDiv(resized.width() - wide, 2);
    int top = Math.floorDiv(resized.height() - high, 2);
    int firstX = Math.max(0, -left);
    int endX = Math.min(wide, resized.width() - left);
    int endY = Math.min(high, resized.height() - top);
    byte[] rgb = new byte[3 * wide * high];
    for (int y = Math.max(0, -top); y < endY; y++) {
      int from = 3 * ((y + top) * resized.width() + left + firstX);
      System.arraycopy(
          resized.rgb(), from, rgb, 3 * (y * wide + firstX), 3 * Math.max(0, endX - firstX));
    }
    return new Picture(wide, high, rgb);
  }

  /** Resizes so that a crop of so many pixels shows what the model's own crop shows. */
  private Picture resize(Picture picture, int wide, int high) {
    if (resampler.isEmpty()) {
      if (wide != width || high != height) {
        throw new ModelException(
            FILE + " says not to resize; only pictures of the model's own size can be seen");
      }
      return picture;
    }
    if (shortestEdge.isEmpty()) {
      return resampler.get().resize(picture, wide, high);
    }
    long edge = shortestEdge.getAsInt();
    int shorter = Math.min(picture.width(), picture.height());
    long ownWide = edge * picture.width() / shorter;
    long ownHigh = edge * picture.height() / shorter;
    return resampler
        .get()
        .resize(
            picture,
            (int) Math.max(1, ownWide * wide / width),
            (int) Math.max(1, ownHigh * high / height));
  }
}
