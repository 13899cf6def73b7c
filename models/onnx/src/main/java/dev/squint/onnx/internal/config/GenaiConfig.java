package dev.squint.onnx.internal.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.squint.onnx.internal.io.JsonFile;
import dev.squint.onnx.internal.io.ModelJson;
import java.nio.file.Path;
import java.util.Map;

/**
 * {@code genai_config.json} of onnxruntime-genai in the words of {@code config.json} and {@code
 * generation_config.json}.
 *
 * @param file where it was read from
 * @param tree what it holds
 */
public record GenaiConfig(Path file, JsonNode tree) {

  /** Names that onnxruntime-genai has for types of other names in transformers. */
  private static final Map<String, String> TYPES =
      Map.of("phi3v", "phi3_v", "phi4mm", "phi4_multimodal", "fara", "qwen2_5_vl");

  private static final Map<String, String> TEXT =
      Map.of(
          "num_hidden_layers", "num_hidden_layers",
          "num_attention_heads", "num_attention_heads",
          "num_key_value_heads", "num_key_value_heads",
          "hidden_size", "hidden_size",
          "head_size", "head_dim");

  /**
   * Reads it.
   *
   * @throws dev.squint.error.ModelException if it is not JSON
   */
  public static GenaiConfig read(Path file) {
    return new GenaiConfig(file, JsonFile.tree(file));
  }

  private JsonNode model() {
    return tree.path("model");
  }

  /** The model, as {@code config.json} would describe it. */
  public ModelJson config() {
    ObjectNode config = JsonNodeFactory.instance.objectNode();
    String type = model().path("type").asText("unknown");
    config.put("model_type", TYPES.getOrDefault(type, type));
    copy(model(), "image_token_id", config, "image_token_id");
    copy(model(), "vocab_size", config, "vocab_size");
    ObjectNode text = config.putObject("text_config");
    TEXT.forEach((from, to) -> copy(model().path("decoder"), from, text, to));
    copy(model(), "vocab_size", text, "vocab_size");
    copy(model(), "context_length", text, "max_position_embeddings");
    ObjectNode vision = config.putObject("vision_config");
    copy(model().path("vision"), "patch_size", vision, "patch_size");
    copy(model().path("vision"), "spatial_merge_size", vision, "spatial_merge_size");
    return ModelJson.of(file, config);
  }

  /** How answers are generated, as {@code generation_config.json} would say it. */
  public ModelJson generation() {
    JsonNode search = tree.path("search");
    ObjectNode generation =
        search.isObject() ? search.deepCopy() : JsonNodeFactory.instance.objectNode();
    copy(model(), "eos_token_id", generation, "eos_token_id");
    return ModelJson.of(file, generation);
  }

  private static void copy(JsonNode from, String field, ObjectNode into, String name) {
    if (from.hasNonNull(field)) {
      into.set(name, from.get(field));
    }
  }
}
