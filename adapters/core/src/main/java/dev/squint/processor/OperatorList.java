package dev.squint.processor;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.squint.error.ModelException;
import dev.squint.onnx.internal.io.JsonFile;
import dev.squint.onnx.internal.io.ModelJson;
import dev.squint.onnx.internal.io.Printable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * The steps that onnxruntime-genai prepares images by, in the words of transformers' image
 * processors. They stand in a {@code processor_config.json} too, which has nothing in common with
 * that of transformers but its name.
 */
final class OperatorList {

  private static final String PROCESSOR = "processor";

  /** Processors by the classes of transformers that do the same. */
  private static final Map<String, String> CLASSES =
      Map.of(
          "qwen2_5_image_processor", "Qwen2VLImageProcessor",
          "qwen3_vl_image_processor", "Qwen2VLImageProcessor");

  private static final Map<String, Integer> FILTERS =
      Map.of("NEAREST", 0, "LANCZOS", 1, "LINEAR", 2, "CUBIC", 3);

  /** What attributes are called there, by operator; an empty name says nothing. */
  private static final Map<String, Map<String, String>> KNOWN =
      Map.of(
          "DecodeImage", Map.of("color_space", ""),
          "ConvertRGB", Map.of(),
          "Resize",
              Map.of(
                  "width", "",
                  "height", "",
                  "smart_resize", "",
                  "min_pixels", "min_pixels",
                  "max_pixels", "max_pixels",
                  "patch_size", "patch_size",
                  "merge_size", "merge_size",
                  "interpolation", "resample"),
          "Rescale", Map.of("rescale_factor", "rescale_factor"),
          "Normalize",
              Map.of(
                  "mean", "image_mean",
                  "std", "image_std",
                  "qwen2_5_vl", "",
                  "qwen3_vl", ""),
          "PatchImage",
              Map.of(
                  "patch_size", "patch_size",
                  "temporal_patch_size", "temporal_patch_size",
                  "merge_size", "merge_size"));

  private final Path file;
  private final JsonNode processor;
  private final ObjectNode fields = JsonNodeFactory.instance.objectNode();

  private OperatorList(Path file, JsonNode processor) {
    this.file = file;
    this.processor = processor;
  }

  /**
   * The fields of a file that is such a list.
   *
   * @return empty if it is none
   * @throws ModelException if a step or an attribute of it is not understood
   */
  static Optional<ModelJson> read(Path file) {
    if (!Files.isRegularFile(file)) {
      return Optional.empty();
    }
    JsonNode processor = JsonFile.tree(file).path(PROCESSOR);
    return processor.path("transforms").isArray()
        ? Optional.of(new OperatorList(file, processor).fields())
        : Optional.empty();
  }

  private ModelJson fields() {
    String name = processor.path("name").asText();
    fields.put("image_processor_type", CLASSES.getOrDefault(name, name));
    for (JsonNode step : processor.path("transforms")) {
      add(step.path("operation"));
    }
    return ModelJson.of(file, fields);
  }

  private void add(JsonNode operation) {
    String type = operation.path("type").asText();
    Map<String, String> attributes = KNOWN.get(type);
    if (attributes == null) {
      throw unknown("a step of type '%s'".formatted(Printable.of(type)));
    }
    boolean smart = operation.path("attrs").path("smart_resize").asInt(0) == 1;
    if (type.equals("Resize") && !smart) {
      throw unknown("a Resize without 'smart_resize'");
    }
    operation
        .path("attrs")
        .properties()
        .forEach(
            attribute -> {
              String name = attributes.get(attribute.getKey());
              if (name == null) {
                throw unknown(
                    "the attribute '%s' of %s".formatted(Printable.of(attribute.getKey()), type));
              }
              if (!name.isEmpty()) {
                put(name, attribute.getValue());
              }
            });
  }

  private void put(String name, JsonNode value) {
    Integer filter = FILTERS.get(value.asText());
    if (name.equals("resample") && filter == null) {
      throw unknown("the interpolation '%s'".formatted(Printable.of(value.asText())));
    }
    JsonNode said = filter == null ? value : JsonNodeFactory.instance.numberNode(filter);
    if (fields.has(name) && !fields.get(name).equals(said)) {
      throw unknown("two values of '%s'".formatted(name));
    }
    fields.set(name, said);
  }

  private ModelException unknown(String what) {
    return new ModelException(
        "%s: %s is not known to Squint and may change what the model sees; put the preprocessor_config.json of the model next to it"
            .formatted(file, what));
  }
}
