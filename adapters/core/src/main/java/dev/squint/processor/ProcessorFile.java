package dev.squint.processor;

import dev.squint.error.ModelException;
import dev.squint.onnx.internal.io.ModelJson;
import dev.squint.onnx.internal.io.Printable;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The image processors that make one square of each image: a field that is missing or null has the
 * value of the processor's class.
 *
 * @param type the class of the processor
 * @param fields what its file says
 * @param json the same
 */
record ProcessorFile(ProcessorClass type, ProcessorFields fields, ModelJson json) {

  private static final String SIZE = "size";
  private static final String CROP_SIZE = "crop_size";
  private static final String CROP_SHARE = "crop_pct";
  private static final String MEAN = "image_mean";
  private static final String ASPECT = "image_aspect_ratio";
  private static final double DEFAULT_CROP_SHARE = 224.0 / 256;
  private static final int SMALLEST_WARPED = 384;

  private static final Set<String> UNDERSTOOD =
      Set.of(
          CROP_SIZE,
          "default_to_square",
          "do_center_crop",
          "do_normalize",
          "do_pad",
          "do_rescale",
          "do_resize",
          MEAN,
          "image_std",
          "pad_size",
          "patch_size",
          "resample",
          "rescale_factor",
          SIZE);

  static ProcessorFile read(Path folder) {
    ProcessorFields fields = ProcessorFields.read(folder);
    ProcessorFile file = new ProcessorFile(ProcessorClass.of(fields), fields, fields.json());
    file.checkUnderstood();
    return file;
  }

  private void checkUnderstood() {
    Set<String> understood = new HashSet<>(UNDERSTOOD);
    if (type == ProcessorClass.CONV_NEXT) {
      understood.add(CROP_SHARE);
    }
    fields.requireUnderstood(understood);
    if (json.has("pad_size") && pads() && type != ProcessorClass.LLAVA) {
      throw fields.unknown(
          "pad_size", "asks for a margin around images, which Squint does not make");
    }
  }

  Preprocessor toPreprocessor() {
    boolean resizes = json.flag("do_resize").orElse(true);
    boolean crops = json.flag("do_center_crop").orElse(type.crops());
    Resizing size = size();
    Optional<Resizing.Exact> crop = crops ? Optional.of(crop()) : Optional.empty();
    if (type == ProcessorClass.CONV_NEXT && resizes) {
      if (crops) {
        throw fields.unknown("do_center_crop", "asks to crop twice, which Squint does not");
      }
      Resizing.Exact seen = convNextSide(size);
      size = convNext(seen);
      crop = Optional.of(seen);
    }
    if (crop.isEmpty() && resizes && size instanceof Resizing.Exact exact) {
      crop = Optional.of(exact);
    }
    Resizing.Exact seen = crop.orElseThrow(this::anySize);
    return new Preprocessor(
        fields.file(),
        squares() ? Optional.of(fields.meanColor(type.mean())) : Optional.empty(),
        size,
        seen.width(),
        seen.height(),
        resizes ? Optional.of(fields.resampler(type.resampler())) : Optional.empty(),
        fields.normalization(type.mean(), type.deviation()));
  }

  private ModelException anySize() {
    return new ModelException(
        "%s: '%s' without 'do_center_crop' leaves images their shape, and the vision tower takes squares; use the files of one model"
            .formatted(json.file(), json.path(SIZE)));
  }

  private boolean pads() {
    return json.flag("do_pad").orElse(false);
  }

  /**
   * Whether images become squares by a margin. Other classes than LLaVA's make a batch of images
   * alike by {@code do_pad}, which does nothing to one. The code that LLaVA was published with
   * makes them squares where {@code config.json} says so; transformers does not read that.
   */
  private boolean squares() {
    if (type == ProcessorClass.LLAVA && pads()) {
      return true;
    }
    ModelJson config = fields.config();
    Optional<String> shape = config.text(ASPECT);
    if (shape.isEmpty()
        || shape.get().equals("square")
        || config.names("architectures", "LlavaForConditionalGeneration")) {
      return false;
    }
    if (!shape.get().equals("pad")) {
      throw new ModelException(
          "%s: '%s' %s cuts images into tiles or otherwise, which Squint does not; use a model with 'pad' or 'square'"
              .formatted(config.file(), ASPECT, Printable.of(shape.get())));
    }
    return true;
  }

  private Resizing size() {
    if (!json.has(SIZE)) {
      return type.size();
    }
    if (json.isNumber(SIZE)) {
      int side = side(json, SIZE);
      return json.flag("default_to_square").orElse(type.square())
          ? new Resizing.Exact(side, side)
          : new Resizing.ShortestEdge(side);
    }
    if (!json.isSection(SIZE)) {
      return pair(SIZE);
    }
    ModelJson size = json.section(SIZE);
    return switch (size.fields().stream().sorted().reduce("", (all, field) -> all + " " + field)) {
      case " height width" -> new Resizing.Exact(side(size, "height"), side(size, "width"));
      case " shortest_edge" -> new Resizing.ShortestEdge(side(size, "shortest_edge"));
      case " longest_edge shortest_edge" ->
          new Resizing.BothEdges(side(size, "shortest_edge"), side(size, "longest_edge"));
      case " max_height max_width" ->
          new Resizing.Within(side(size, "max_height"), side(size, "max_width"));
      default ->
          throw json.wrong(
              SIZE,
              "one number, two numbers, 'height' and 'width', 'shortest_edge' with or without 'longest_edge', or 'max_height' and 'max_width'");
    };
  }

  private Resizing.Exact crop() {
    if (!json.has(CROP_SIZE)) {
      if (!type.crops()) {
        throw new ModelException(
            "%s crops images, but names no '%s'; download or export it again"
                .formatted(json.file(), json.path(CROP_SIZE)));
      }
      return new Resizing.Exact(type.crop(), type.crop());
    }
    if (json.isNumber(CROP_SIZE)) {
      int side = side(json, CROP_SIZE);
      return new Resizing.Exact(side, side);
    }
    if (!json.isSection(CROP_SIZE)) {
      return pair(CROP_SIZE);
    }
    ModelJson size = json.section(CROP_SIZE);
    if (!size.has("height") || !size.has("width")) {
      throw json.wrong(CROP_SIZE, "one number, two numbers, or 'height' and 'width'");
    }
    return new Resizing.Exact(side(size, "height"), side(size, "width"));
  }

  private Resizing.Exact pair(String field) {
    List<Long> sides = json.wholes(field, 1, Preprocessor.MOST_SIDE);
    if (sides.size() != 2) {
      throw json.wrong(field, "one number, or an array of rows and columns");
    }
    return new Resizing.Exact(sides.get(0).intValue(), sides.get(1).intValue());
  }

  private static int side(ModelJson json, String field) {
    return json.whole(field, 1, Preprocessor.MOST_SIDE).orElseThrow();
  }

  private Resizing.Exact convNextSide(Resizing size) {
    if (!(size instanceof Resizing.ShortestEdge edge)) {
      throw json.wrong(SIZE, "of a ConvNextImageProcessor 'shortest_edge'");
    }
    return new Resizing.Exact(edge.edge(), edge.edge());
  }

  /** Small images show the middle of what is resized, large ones all of it. */
  private Resizing convNext(Resizing.Exact seen) {
    double share = json.number(CROP_SHARE, 0.1, 1).orElse(DEFAULT_CROP_SHARE);
    return seen.width() < SMALLEST_WARPED
        ? new Resizing.ShortestEdge((int) (seen.width() / share))
        : seen;
  }
}
