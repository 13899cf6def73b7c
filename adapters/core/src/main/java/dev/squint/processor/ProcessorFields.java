package dev.squint.processor;

import dev.squint.error.ModelException;
import dev.squint.image.Canvas;
import dev.squint.image.Resampler;
import dev.squint.onnx.internal.io.ModelJson;
import dev.squint.onnx.internal.io.Printable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What a model folder says of its image processor, as transformers reads it: {@code
 * image_processor} in {@code processor_config.json}, which it writes since version 5, or else
 * {@code preprocessor_config.json}. What is there and could change what the model sees is
 * understood by its family or refused by name.
 */
public final class ProcessorFields {

  private static final String NESTED = "image_processor";
  private static final String MEAN = "image_mean";
  private static final String FILTER = "resample";
  private static final double LEAST = 1e-6;
  private static final double MOST = 1e6;

  /** Fields that no image processor reads, or that say nothing about one image in RGB. */
  private static final Set<String> HARMLESS =
      Set.of(
          "_commit_hash",
          "_name_or_path",
          "_processor_class",
          "_valid_processor_keys",
          "auto_map",
          "data_format",
          "device",
          "disable_grouping",
          "do_convert_rgb",
          "do_reduce_labels",
          "feature_extractor_type",
          "image_processor_type",
          "image_seq_length",
          "input_data_format",
          "model_input_names",
          "name_or_path",
          "num_additional_image_tokens",
          "processor_class",
          "reduce_labels",
          "return_tensors",
          "tokenizer_class",
          "transformers_version",
          "use_fast",
          "vision_feature_select_strategy");

  private final ModelJson json;
  private final ModelJson config;

  private ProcessorFields(ModelJson json, ModelJson config) {
    this.json = json;
    this.config = config;
  }

  /**
   * Reads them.
   *
   * @param folder the model's
   * @throws ModelException if there are none, or the model brings code of its own for them
   */
  public static ProcessorFields read(Path folder) {
    ModelJson processor = ModelJson.readIfThere(folder.resolve("processor_config.json"));
    Path own = folder.resolve("preprocessor_config.json");
    ModelJson json =
        processor.has(NESTED)
            ? processor.section(NESTED)
            : Optional.of(processor.file())
                .filter(file -> !Files.exists(own))
                .flatMap(OperatorList::read)
                .orElseGet(() -> ModelJson.read(own));
    ModelJson code = json.section("auto_map");
    if (code.has("AutoImageProcessor") || code.has("AutoFeatureExtractor")) {
      throw new ModelException(
          "%s: '%s' names code of the model's own that prepares images, which is not run; use a model whose image processor is one of transformers' own"
              .formatted(json.file(), json.path("auto_map")));
    }
    return new ProcessorFields(json, ModelJson.readIfThere(folder.resolve("config.json")));
  }

  ModelJson json() {
    return json;
  }

  ModelJson config() {
    return config;
  }

  /** The class that it names, without what tells its backend; empty if it names none. */
  public Optional<String> type() {
    return named()
        .map(name -> name.replace("FeatureExtractor", "ImageProcessor"))
        .map(name -> name.replaceFirst("(Fast|Pil)$", ""));
  }

  Optional<String> named() {
    return json.text("image_processor_type")
        .or(() -> json.text("feature_extractor_type"))
        .or(() -> config.text("image_processor_type"));
  }

  /**
   * Checks that it is of a class that is known here, or names none.
   *
   * @throws ModelException if it is of another
   */
  public void requireType(Set<String> known) {
    type()
        .filter(type -> !known.contains(type))
        .ifPresent(
            type -> {
              throw unknownType(known.stream().sorted().toList());
            });
  }

  ModelException unknownType(List<String> known) {
    return new ModelException(
        "%s: image processor '%s' is not known; known are %s"
            .formatted(
                json.file(), Printable.of(named().orElse("none")), String.join(", ", known)));
  }

  /**
   * Checks that nothing is there that is not understood. A step that is switched off is nothing.
   *
   * @param understood fields that the family reads
   * @throws ModelException if a field is none of them and could change what the model sees
   */
  public void requireUnderstood(Set<String> understood) {
    for (String field : json.fields()) {
      boolean switchedOff =
          json.isFalse(field) && (field.startsWith("do_") || field.startsWith("use_"));
      if (!understood.contains(field) && !HARMLESS.contains(field) && !switchedOff) {
        throw unknown(field, "is not known to Squint and may change what the model sees");
      }
    }
  }

  /** The refusal of a field. */
  public ModelException unknown(String field, String what) {
    return new ModelException(
        "%s: '%s' %s; use a model without it, or remove the field if the model's own code does not read it"
            .formatted(json.file(), Printable.of(json.path(field)), what));
  }

  /** The refusal of what a field says. */
  public ModelException wrong(String field, String what) {
    return json.wrong(field, what);
  }

  /** The name of the file. */
  public String file() {
    return json.file().getFileName().toString();
  }

  /** Whether a field is there and not null. */
  public boolean has(String field) {
    return json.has(field);
  }

  /** Fields within a field, none if it is not there. */
  public ProcessorFields section(String field) {
    return new ProcessorFields(json.section(field), config);
  }

  /** A switch. */
  public boolean flag(String field, boolean absent) {
    return json.flag(field).orElse(absent);
  }

  /** A whole number in bounds. */
  public Optional<Integer> whole(String field, int least, int most) {
    return json.whole(field, least, most);
  }

  /** A number in bounds. */
  public Optional<Double> number(String field, double least, double most) {
    return json.number(field, least, most);
  }

  /** A text. */
  public Optional<String> text(String field) {
    return json.text(field);
  }

  /** A whole number in bounds, empty if the field is no number. */
  public Optional<Integer> wholeIfNumber(String field, int least, int most) {
    return json.isNumber(field) ? json.whole(field, least, most) : Optional.empty();
  }

  /** An array of arrays of whole numbers in bounds, none if it is not there. */
  public List<List<Long>> sequences(String field, long least, long most) {
    return json.sequences(field, least, most);
  }

  /** A number for each of red, green and blue, or one for all. */
  public double[] channels(String field, double least, double[] absent) {
    if (json.isNumber(field)) {
      double[] alike = new double[3];
      Arrays.fill(alike, json.number(field, least, MOST).orElseThrow());
      return alike;
    }
    return json.numbers(field, 3, least, MOST).orElse(absent);
  }

  /**
   * The mean as a colour, for margins.
   *
   * @param absent the mean of the class, for a file that is silent
   * @throws ModelException if it is no colour
   */
  public Canvas.Color meanColor(double[] absent) {
    int[] color =
        Arrays.stream(channels(MEAN, -MOST, absent)).mapToInt(mean -> (int) (mean * 255)).toArray();
    for (int sample : color) {
      if (sample < 0 || sample > 255) {
        throw json.wrong(MEAN, "three numbers from 0 to 1, since it is the colour of the margin");
      }
    }
    return new Canvas.Color(color[0], color[1], color[2]);
  }

  /**
   * How samples become pixel values.
   *
   * @param mean of the class, for a file that is silent
   * @param deviation of the class
   */
  public Normalization normalization(double[] mean, double[] deviation) {
    boolean normalizes = flag("do_normalize", true);
    return new Normalization(
        flag("do_rescale", true) ? number("rescale_factor", LEAST, MOST).orElse(1 / 255.0) : 1,
        normalizes ? channels(MEAN, -MOST, mean) : new double[3],
        normalizes ? channels("image_std", LEAST, deviation) : new double[] {1, 1, 1});
  }

  /** The filter that images are resized with. */
  public Resampler resampler(Resampler absent) {
    String name = "%s: %s".formatted(file(), json.path(FILTER));
    return json.isInt(FILTER)
        ? Resampler.ofPillow(
            json.whole(FILTER, Integer.MIN_VALUE, Integer.MAX_VALUE).orElseThrow(), name)
        : json.whole(FILTER, 0, Resampler.values().length - 1)
            .map(number -> Resampler.ofPillow(number, name))
            .orElse(absent);
  }
}
