package dev.squint.models;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Reads {@code config.json} and {@code generation_config.json}, wherever exporters have put the
 * fields.
 */
final class ConfigReader {

  private static final List<String> TEXT_SECTIONS =
      List.of("text_config", "llm_config", "language_config", "phi_config");
  private static final double LLAMA_THETA = 10_000;
  private static final int DEFAULT_CONTEXT = 2048;

  private final Path file;
  private final JsonNode root;
  private final JsonNode text;
  private final JsonNode vision;

  private ConfigReader(Path file, JsonNode root) {
    this.file = file;
    this.root = root;
    this.text = textOf(root);
    this.vision = root.path("vision_config");
  }

  /** The section of a {@code config.json} that describes the decoder. */
  static JsonNode textOf(JsonNode root) {
    return TEXT_SECTIONS.stream().filter(root::has).findFirst().map(root::get).orElse(root);
  }

  static ModelConfig read(Path folder) {
    Path file = folder.resolve("config.json");
    JsonNode generation = parse(folder.resolve("generation_config.json"), false);
    return new ConfigReader(file, parse(file, true)).config(generation);
  }

  private static JsonNode parse(Path file, boolean required) {
    ObjectMapper mapper = new ObjectMapper();
    if (!Files.isRegularFile(file)) {
      if (required) {
        throw new ModelException(
            "no such file: "
                + file
                + "; a model folder in hub layout has config.json at its top and graphs in onnx");
      }
      return mapper.createObjectNode();
    }
    try {
      JsonNode node = mapper.readTree(file.toFile());
      if (!node.isObject()) {
        throw new ModelException(file + " holds no JSON object: download or export it again");
      }
      return node;
    } catch (JacksonException e) {
      throw new ModelException(
          "%s is not valid JSON: %s".formatted(file, e.getOriginalMessage()), e);
    } catch (IOException e) {
      throw new ModelException("cannot read %s: %s".formatted(file, e.getMessage()), e);
    }
  }

  private ModelConfig config(JsonNode generation) {
    int hidden = positive(text, "hidden_size");
    int heads = positive(text, "num_attention_heads");
    ModelConfig.Text decoder =
        new ModelConfig.Text(
            positive(text, "num_hidden_layers"),
            hidden,
            heads,
            text.path("num_key_value_heads").asInt(heads),
            text.path("head_dim").asInt(hidden / heads),
            positive(text, "intermediate_size"),
            positive(text, "vocab_size"),
            text.path("rope_theta")
                .asDouble(text.path("rope_parameters").path("rope_theta").asDouble(LLAMA_THETA)));
    ModelConfig.Vision tower =
        new ModelConfig.Vision(
            layersThatRun(),
            positive(vision, "hidden_size"),
            positive(vision, "num_attention_heads"),
            positive(vision, "intermediate_size"),
            positive(vision, "image_size"),
            positive(vision, "patch_size"));
    int grid = tower.imageSize() / tower.patchSize();
    JsonNode imageToken =
        root.has("image_token_index") ? root.get("image_token_index") : root.path("image_token_id");
    if (!imageToken.isIntegralNumber()) {
      throw new ModelException(
          file
              + " has neither 'image_token_index' nor 'image_token_id': this is no vision-language"
              + " model");
    }
    return new ModelConfig(
        root.path("model_type").asText("unknown"),
        imageToken.asLong(),
        root.path("image_seq_length").asInt(grid * grid),
        text.path("max_position_embeddings").asInt(DEFAULT_CONTEXT),
        endTokens(generation),
        decoder,
        tower);
  }

  /** A feature layer counts hidden states from the embedding at 0, or from the end at -1. */
  private int layersThatRun() {
    int layers = positive(vision, "num_hidden_layers");
    int feature = root.path("vision_feature_layer").asInt(-1);
    int run = feature < 0 ? layers + 1 + feature : feature;
    return Math.max(1, Math.min(layers, run));
  }

  private Set<Long> endTokens(JsonNode generation) {
    for (JsonNode node : List.of(generation, text, root)) {
      JsonNode end = node.path("eos_token_id");
      Set<Long> tokens = new LinkedHashSet<>();
      if (end.isIntegralNumber()) {
        tokens.add(end.asLong());
      }
      end.forEach(token -> tokens.add(token.asLong()));
      if (!tokens.isEmpty()) {
        return tokens;
      }
    }
    throw new ModelException(
        file + " and generation_config.json name no 'eos_token_id': answers would never end");
  }

  private int positive(JsonNode section, String field) {
    int value = section.path(field).asInt(0);
    if (value < 1) {
      String where = section == vision ? "vision_config." : section == root ? "" : "text_config.";
      throw new ModelException("%s has no positive number '%s%s'".formatted(file, where, field));
    }
    return value;
  }
}
