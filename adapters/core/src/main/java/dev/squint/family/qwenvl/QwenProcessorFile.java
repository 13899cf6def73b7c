package dev.squint.family.qwenvl;

import dev.squint.error.ModelException;
import dev.squint.image.Resampler;
import dev.squint.onnx.config.ModelConfig;
import dev.squint.processor.Normalization;
import dev.squint.processor.ProcessorFields;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/**
 * The file of the image processor. What it leaves out has the value of the class (transformers
 * 5.18).
 */
record QwenProcessorFile(ProcessorFields fields) {

  private static final Set<String> TYPES =
      Set.of("Qwen2VLImageProcessor", "Qwen2_5_VLImageProcessor");
  private static final Set<String> UNDERSTOOD =
      Set.of(
          "default_to_square",
          "do_normalize",
          "do_rescale",
          "do_resize",
          "image_mean",
          "image_std",
          "max_pixels",
          "merge_size",
          "min_pixels",
          "patch_size",
          "resample",
          "rescale_factor",
          "size",
          "temporal_patch_size");

  private static final String SIZE = "size";
  private static final String PATCH = "patch_size";
  private static final String MERGE = "merge_size";
  private static final int LEAST_AREA = 56 * 56;
  private static final int MOST_AREA = 28 * 28 * 1280;
  private static final int USUAL_PATCH = 14;
  private static final int USUAL_MERGE = 2;
  private static final int USUAL_FRAMES = 2;
  private static final int LARGEST = 1 << 10;

  /**
   * The images of a model.
   *
   * @throws ModelException if the file is missing, does not fit the vision tower, or holds what
   *     could change pixels and is not understood
   */
  static QwenImages read(Path folder, ModelConfig.Vision tower) {
    ProcessorFields fields = ProcessorFields.read(folder);
    fields.requireType(TYPES);
    fields.requireUnderstood(UNDERSTOOD);
    return new QwenProcessorFile(fields).images(tower);
  }

  private QwenImages images(ModelConfig.Vision tower) {
    int patch = fields.whole(PATCH, 1, LARGEST).orElse(USUAL_PATCH);
    int merge = fields.whole(MERGE, 1, LARGEST).orElse(USUAL_MERGE);
    requireSame(PATCH, patch, tower.patchSize());
    requireSame(MERGE, merge, tower.mergeSide());
    return new QwenImages(
        fields.file(),
        new SmartResize(
            patch * merge,
            area("min_pixels", "shortest_edge", LEAST_AREA),
            area("max_pixels", "longest_edge", MOST_AREA)),
        fields.flag("do_resize", true)
            ? Optional.of(fields.resampler(Resampler.BICUBIC))
            : Optional.empty(),
        fields.normalization(Normalization.clipMean(), Normalization.clipDeviation()),
        patch,
        merge,
        fields.whole("temporal_patch_size", 1, USUAL_FRAMES).orElse(USUAL_FRAMES));
  }

  /** An edge of {@code size} is the area of an image, whatever its name; the older field wins. */
  private long area(String older, String edge, int absent) {
    Optional<Integer> written = fields.whole(older, 1, Integer.MAX_VALUE);
    if (written.isPresent() || !fields.has(SIZE)) {
      return written.orElse(absent);
    }
    return fields
        .section(SIZE)
        .whole(edge, 1, Integer.MAX_VALUE)
        .orElseThrow(
            () ->
                fields.wrong(
                    SIZE, "'shortest_edge' and 'longest_edge', the areas that images may have"));
  }

  private void requireSame(String field, int written, int tower) {
    if (written != tower) {
      throw new ModelException(
          "%s: '%s' is %d, but the vision tower of config.json has %d; use the files of one model"
              .formatted(fields.file(), field, written, tower));
    }
  }
}
