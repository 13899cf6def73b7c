package dev.squint.processor;

import dev.squint.error.ModelException;
import dev.squint.image.Canvas;
import dev.squint.image.Resampler;
import dev.squint.onnx.internal.io.ModelJson;
import dev.squint.onnx.internal.io.Printable;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What a model folder says of its image processor, read as transformers reads it: {@code
 * image_processor} in {@code processor_config.json}, which it writes since version 5, or else
 * {@code preprocessor_config.json}. A field that is missing or null has the value of the
 * processor's class. What is there and could change what the model sees is understood or refused.
 *
 * @param type the class of the processor
 * @param json its fields
 * @param config the fields of {@code config.json}
 */
record ProcessorFile(ProcessorClass type, ModelJson json, ModelJson config) {

  private static final String NESTED = "image_processor";
  private static final String SIZE = "size";
  private static final String CROP_SIZE = "crop_size";
  private static final String CROP_SHARE = "crop_pct";
  private static final String FILTER = "resample";
  private static final String MEAN = "image_mean";
  private static final String ASPECT = "image_aspect_ratio";
  private static final double DEFAULT_CROP_SHARE = 224.0 / 256;
  private static final int SMALLEST_WARPED = 384;
  private static final double LEAST = 1e-6;
  private static final double MOST = 1e6;

  private static final Set<String> UNDERSTOOD =
      Set.of(
          "auto_map",
          CROP_SIZE,
          "default_to_square",
          "do_center_crop",
          "do_normalize",
          "do_pad",
          "do_rescale",
          "do_resize",
          "feature_extractor_type",
          MEAN,
          "image_processor_type",
          "image_std",
          "pad_size",
          FILTER,
          "rescale_factor",
          SIZE);

  /** Fields that no image processor reads, or that say nothing about one image in RGB. */
  private static final Set<String> HARMLESS =
      Set.of(
          "_commit_hash",
          "_name_or_path",
          "_processor_class",
          "_valid_processor_keys",
          "data_format",
          "device",
          "disable_grouping",
          "do_convert_rgb",
          "do_reduce_labels",
          "image_seq_length",
          "input_data_format",
          "model_input_names",
          "name_or_path",
          "num_additional_image_tokens",
          "patch_size",
          "processor_class",
          "reduce_labels",
          "return_tensors",
          "tokenizer_class",
          "transformers_version",
          "use_fast",
          "vision_feature_select_strategy");

  static ProcessorFile read(Path folder) {
    ModelJson config = ModelJson.readIfThere(folder.resolve("config.json"));
    ModelJson processor = ModelJson.readIfThere(folder.resolve("processor_config.json"));
    ModelJson json =
        processor.has(NESTED)
            ? processor.section(NESTED)
            : ModelJson.read(folder.resolve("preprocessor_config.json"));
    ProcessorFile file = new ProcessorFile(ProcessorClass.of(json, config), json, config);
    file.checkUnderstood();
    return file;
  }

  private void checkUnderstood() {
    for (String field : json.fields()) {
      boolean switchedOff =
          json.isFalse(field) && (field.startsWith("do_") || field.startsWith("use_"));
      boolean ownStep = field.equals(CROP_SHARE) && type == ProcessorClass.CONV_NEXT;
      if (!UNDERSTOOD.contains(field) && !HARMLESS.contains(field) && !ownStep && !switchedOff) {
        throw unknown(field, "is not known to Squint and may change what the model sees");
      }
    }
    if (json.has("pad_size") && pads() && type != ProcessorClass.LLAVA) {
      throw unknown("pad_size", "asks for a margin around images, which Squint does not make");
    }
  }

  private ModelException unknown(String field, String what) {
    return new ModelException(
        "%s: '%s' %s; use a model without it, or remove the field if the model's own code does not read it"
            .formatted(json.file(), Printable.of(json.path(field)), what));
  }

  Preprocessor toPreprocessor() {
    boolean resizes = json.flag("do_resize").orElse(true);
    boolean crops = json.flag("do_center_crop").orElse(type.crops());
    Resizing size = size();
    Optional<Resizing.Exact> crop = crops ? Optional.of(crop()) : Optional.empty();
    if (type == ProcessorClass.CONV_NEXT && resizes) {
      if (crops) {
        throw unknown("do_center_crop", "asks to crop twice, which Squint does not");
      }
      Resizing.Exact seen = convNextSide(size);
      size = convNext(seen);
      crop = Optional.of(seen);
    }
    if (crop.isEmpty() && resizes && size instanceof Resizing.Exact exact) {
      crop = Optional.of(exact);
    }
    Resizing.Exact seen = crop.orElseThrow(this::anySize);
    boolean normalizes = json.flag("do_normalize").orElse(true);
    return new Preprocessor(
        json.file().getFileName().toString(),
        squares() ? Optional.of(meanColor()) : Optional.empty(),
        size,
        seen.width(),
        seen.height(),
        resizes ? Optional.of(resampler()) : Optional.empty(),
        json.flag("do_rescale").orElse(true)
            ? json.number("rescale_factor", LEAST, MOST).orElse(1 / 255.0)
            : 1,
        normalizes ? channels(MEAN, -MOST, type.mean()) : new double[3],
        normalizes ? channels("image_std", LEAST, type.deviation()) : new double[] {1, 1, 1});
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

  private Canvas.Color meanColor() {
    int[] color =
        Arrays.stream(channels(MEAN, -MOST, type.mean()))
            .mapToInt(mean -> (int) (mean * 255))
            .toArray();
    for (int sample : color) {
      if (sample < 0 || sample > 255) {
        throw json.wrong(MEAN, "three numbers from 0 to 1, since it is the colour of the margin");
      }
    }
    return new Canvas.Color(color[0], color[1], color[2]);
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

  private Resampler resampler() {
    String name = "%s: %s".formatted(json.file().getFileName(), json.path(FILTER));
    return json.isInt(FILTER)
        ? Resampler.ofPillow(
            json.whole(FILTER, Integer.MIN_VALUE, Integer.MAX_VALUE).orElseThrow(), name)
        : json.whole(FILTER, 0, Resampler.values().length - 1)
            .map(number -> Resampler.ofPillow(number, name))
            .orElse(type.resampler());
  }

  /** A number for each channel, or one for all. */
  private double[] channels(String field, double least, double[] absent) {
    if (json.isNumber(field)) {
      double[] alike = new double[3];
      Arrays.fill(alike, json.number(field, least, MOST).orElseThrow());
      return alike;
    }
    return json.numbers(field, 3, least, MOST).orElse(absent);
  }
}
