package dev.squint.family.anyres;

import dev.squint.engine.request.PixelValues;
import dev.squint.error.ModelException;
import dev.squint.image.Canvas;
import dev.squint.image.Resampler;
import dev.squint.image.RgbImage;
import dev.squint.processor.Normalization;
import dev.squint.processor.Preprocessor;
import dev.squint.processor.ProcessorFields;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * {@code LlavaNextImageProcessor} and {@code LlavaOnevisionImageProcessor}: the whole image in a
 * tile, and the image cut into tiles in the resolution that suits it best.
 *
 * @param source the file that says so, for messages
 * @param side pixels a side of a tile
 * @param resolutions sizes that are cut into tiles
 * @param resampler how to resize
 * @param normalization how samples become pixel values
 * @param margin the colour with which images become squares
 * @param squares whether several images of a prompt become squares and are not cut into tiles
 */
record TileProcessor(
    String source,
    int side,
    List<Resolution> resolutions,
    Resampler resampler,
    Normalization normalization,
    Canvas.Color margin,
    boolean squares) {

  private static final String NEXT = "LlavaNextImageProcessor";
  private static final String ONEVISION = "LlavaOnevisionImageProcessor";
  private static final String PINPOINTS = "image_grid_pinpoints";
  private static final String SIZE = "size";
  private static final String CROP = "crop_size";
  private static final String SHORTEST = "shortest_edge";
  private static final int NEXT_SIDE = 224;
  private static final int ONEVISION_SIDE = 384;
  private static final int ONEVISION_TILES = 6;
  private static final List<Resolution> OF_NEXT =
      List.of(
          new Resolution(336, 672),
          new Resolution(672, 336),
          new Resolution(672, 672),
          new Resolution(1008, 336),
          new Resolution(336, 1008));

  private static final Set<String> UNDERSTOOD =
      Set.of(
          "aspect_ratio_setting",
          CROP,
          "default_to_square",
          "do_center_crop",
          "do_normalize",
          "do_pad",
          "do_rescale",
          "do_resize",
          PINPOINTS,
          "image_mean",
          "image_std",
          "pad_size",
          "resample",
          "rescale_factor",
          SIZE);

  /**
   * Reads it.
   *
   * @param folder the model's
   * @param usual whether the model's own class is OneVision's, for a file that names none
   * @throws ModelException if it is of another class, or asks for what is not known here
   */
  static TileProcessor read(Path folder, boolean usual) {
    ProcessorFields fields = ProcessorFields.read(folder);
    fields.requireType(Set.of(NEXT, ONEVISION));
    fields.requireUnderstood(UNDERSTOOD);
    boolean onevision = fields.type().map(ONEVISION::equals).orElse(usual);
    if (!fields.flag("do_resize", true)) {
      throw fields.unknown("do_resize", "leaves images their size, which no tower takes");
    }
    fields
        .text("aspect_ratio_setting")
        .filter(setting -> !setting.equals("anyres"))
        .ifPresent(
            setting -> {
              throw fields.unknown(
                  "aspect_ratio_setting", "asks for another way to cut images than 'anyres'");
            });
    int side = side(fields, onevision);
    return new TileProcessor(
        fields.file(),
        side,
        resolutions(fields, onevision, side),
        fields.resampler(Resampler.BICUBIC),
        fields.normalization(Normalization.clipMean(), Normalization.clipDeviation()),
        fields.meanColor(Normalization.clipMean()),
        onevision);
  }

  private static int side(ProcessorFields fields, boolean onevision) {
    int usual = onevision ? ONEVISION_SIDE : NEXT_SIDE;
    int side = fields.has(SIZE) ? square(fields, SIZE) : usual;
    int cut =
        fields.has(CROP) ? square(fields, CROP) : onevision || fields.has(SIZE) ? side : usual;
    if (cut != side) {
      throw fields.unknown(
          CROP, "cuts tiles of %d pixels, but '%s' has %d".formatted(cut, SIZE, side));
    }
    return side;
  }

  private static int square(ProcessorFields fields, String field) {
    Optional<Integer> number = fields.wholeIfNumber(field, 1, Preprocessor.MOST_SIDE);
    if (number.isPresent()) {
      return number.get();
    }
    ProcessorFields size = fields.section(field);
    Optional<Integer> shortest = size.whole(SHORTEST, 1, Preprocessor.MOST_SIDE);
    Optional<Integer> height = size.whole("height", 1, Preprocessor.MOST_SIDE);
    Optional<Integer> width = size.whole("width", 1, Preprocessor.MOST_SIDE);
    if (shortest.isPresent() && height.isEmpty() && width.isEmpty() && !size.has("longest_edge")) {
      return shortest.get();
    }
    if (height.isEmpty() || !height.equals(width) || shortest.isPresent()) {
      throw fields.wrong(
          field, "a number, 'shortest_edge', or a 'height' and 'width' that are alike");
    }
    return height.get();
  }

  private static List<Resolution> resolutions(ProcessorFields fields, boolean onevision, int side) {
    List<Resolution> all = new ArrayList<>();
    for (List<Long> pair : fields.sequences(PINPOINTS, 1, Preprocessor.MOST_SIDE)) {
      all.add(new Resolution(pair.get(0).intValue(), pair.get(pair.size() - 1).intValue()));
    }
    if (!fields.has(PINPOINTS)) {
      all.addAll(onevision ? ofOneVision() : OF_NEXT);
    }
    boolean fit = all.stream().allMatch(one -> one.height() % side == 0 && one.width() % side == 0);
    if (!fit || all.isEmpty()) {
      throw fields.wrong(
          PINPOINTS, "pairs of rows and columns that are multiples of %d".formatted(side));
    }
    return List.copyOf(all);
  }

  private static List<Resolution> ofOneVision() {
    List<Resolution> all = new ArrayList<>();
    for (int rows = 1; rows <= ONEVISION_TILES; rows++) {
      for (int columns = 1; columns <= ONEVISION_TILES; columns++) {
        all.add(new Resolution(rows * ONEVISION_SIDE, columns * ONEVISION_SIDE));
      }
    }
    return all;
  }

  /** Refuses a tower that takes tiles of another size. */
  void checkFits(int tower) {
    if (side != tower) {
      throw new ModelException(
          "%s makes tiles of %d pixels a side, but the vision tower takes %d; use the files of one model"
              .formatted(source, side, tower));
    }
  }

  /** The whole image as one tile, whatever its shape. */
  RgbImage whole(RgbImage image) {
    return resampler.resize(image, side, side);
  }

  /** The whole image in the middle of a square. */
  RgbImage square(RgbImage image) {
    return resampler.resize(
        Canvas.square(image, margin), side, side, new Resampler.Window(0, 0, side, side));
  }

  /** Size of the grid of tiles that an image is cut into, in tiles. */
  Resolution grid(RgbImage image) {
    Resolution best = Resolution.best(resolutions, image.width(), image.height());
    return new Resolution(best.height() / side, best.width() / side);
  }

  /** The whole image, then the tiles it is cut into, row by row. */
  List<RgbImage> tiles(RgbImage image) {
    Resolution best = Resolution.best(resolutions, image.width(), image.height());
    Resolution fitted = best.fitted(image.width(), image.height());
    RgbImage resized = resampler.resize(image, fitted.width(), fitted.height());
    int left = (best.width() - fitted.width()) / 2;
    int top = (best.height() - fitted.height()) / 2;
    List<RgbImage> tiles = new ArrayList<>();
    tiles.add(whole(image));
    for (int y = 0; y < best.height(); y += side) {
      for (int x = 0; x < best.width(); x += side) {
        tiles.add(part(resized, x - left, y - top));
      }
    }
    return tiles;
  }

  /** A tile of an image that lies on black. */
  private RgbImage part(RgbImage image, int left, int top) {
    byte[] rgb = new byte[3 * side * side];
    int first = Math.max(0, left);
    int width = Math.min(image.width(), left + side) - first;
    if (width > 0) {
      int bottom = Math.min(image.height(), top + side);
      for (int y = Math.max(0, top); y < bottom; y++) {
        System.arraycopy(
            image.rgb(),
            3 * (y * image.width() + first),
            rgb,
            3 * ((y - top) * side + first - left),
            3 * width);
      }
    }
    return new RgbImage(side, side, rgb);
  }

  /** Pixel values {@code [tiles, 3, side, side]}. */
  PixelValues values(List<RgbImage> tiles) {
    long[] shape = {tiles.size(), 3, side, side};
    FloatBuffer data = PixelValues.buffer(shape);
    tiles.forEach(tile -> normalization.put(tile, data));
    return new PixelValues(data.flip(), shape);
  }
}
