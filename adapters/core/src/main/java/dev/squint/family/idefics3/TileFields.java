package dev.squint.family.idefics3;

import dev.squint.image.Resampler;
import dev.squint.processor.Normalization;
import dev.squint.processor.ProcessorFields;
import java.nio.file.Path;
import java.util.Set;

/** The fields of an {@code Idefics3ImageProcessor} or {@code SmolVLMImageProcessor}. */
final class TileFields {

  private static final String SIZE = "size";
  private static final String TILE = "max_image_size";
  private static final String LONGEST = "longest_edge";
  private static final int USUAL_TILE = 364;
  private static final int LARGEST_TILE = 2048;
  private static final int LONGEST_EDGE = 1 << 16;

  private static final Set<String> CLASSES =
      Set.of("Idefics3ImageProcessor", "SmolVLMImageProcessor");

  /**
   * What is read here, what makes images of one batch alike, and what only videos or nobody reads.
   */
  private static final Set<String> UNDERSTOOD =
      Set.of(
          "chat_template",
          "do_image_splitting",
          "do_normalize",
          "do_pad",
          "do_rescale",
          "do_resize",
          "image_mean",
          "image_std",
          TILE,
          "resample",
          "rescale_factor",
          "return_row_col_info",
          SIZE,
          "video_sampling",
          "vision_encoder_max_size");

  private TileFields() {}

  /**
   * Reads them.
   *
   * @param folder the model's
   * @throws dev.squint.error.ModelException if they are of another class, or one of them is not
   *     understood
   */
  static TileProcessor read(Path folder) {
    ProcessorFields fields = ProcessorFields.read(folder);
    fields.requireType(CLASSES);
    fields.requireUnderstood(UNDERSTOOD);
    int tile = USUAL_TILE;
    if (fields.has(TILE)) {
      ProcessorFields largest = fields.section(TILE);
      tile =
          largest
              .whole(LONGEST, 1, LARGEST_TILE)
              .orElseThrow(() -> fields.wrong(TILE, "an object with '" + LONGEST + "'"));
    }
    TileSizes.First first =
        fields.flag("do_resize", true) ? first(fields) : new TileSizes.Unchanged();
    return new TileProcessor(
        new TileSizes(first, fields.flag("do_image_splitting", true), tile),
        fields.resampler(Resampler.LANCZOS),
        fields.normalization(Normalization.half(), Normalization.half()));
  }

  /** A longest edge decides, whatever stands beside it. */
  private static TileSizes.First first(ProcessorFields fields) {
    if (!fields.has(SIZE)) {
      return new TileSizes.LongestEdge(4 * USUAL_TILE);
    }
    ProcessorFields size = fields.section(SIZE);
    if (size.has(LONGEST)) {
      return new TileSizes.LongestEdge(size.whole(LONGEST, 1, LONGEST_EDGE).orElseThrow());
    }
    if (!size.has("height") || !size.has("width")) {
      throw fields.wrong(SIZE, "an object with 'longest_edge', or with 'height' and 'width'");
    }
    return new TileSizes.Exact(
        size.whole("width", 1, LONGEST_EDGE).orElseThrow(),
        size.whole("height", 1, LONGEST_EDGE).orElseThrow());
  }
}
