package dev.squint.chat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.squint.onnx.internal.io.JsonFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Special tokens by the names that templates know them by, such as {@code bos_token}, read as
 * transformers reads them: {@code special_tokens_map.json} counts where {@code
 * tokenizer_config.json} does not list the added tokens.
 *
 * @param byName their texts
 */
record TokenTexts(Map<String, String> byName) {

  private static final String SUFFIX = "_token";

  TokenTexts {
    byName = Map.copyOf(byName);
  }

  static TokenTexts read(Path folder) {
    Map<String, String> texts = new LinkedHashMap<>();
    JsonNode config = tree(folder.resolve("tokenizer_config.json"));
    add(texts, config);
    if (!config.has("added_tokens_decoder")) {
      add(texts, tree(folder.resolve("special_tokens_map.json")));
    }
    return new TokenTexts(texts);
  }

  private static JsonNode tree(Path file) {
    return Files.exists(file) ? JsonFile.tree(file) : MissingNode.getInstance();
  }

  private static void add(Map<String, String> texts, JsonNode from) {
    from.path("extra_special_tokens")
        .properties()
        .forEach(field -> put(texts, field.getKey(), field.getValue()));
    from.properties()
        .forEach(
            field -> {
              if (field.getKey().endsWith(SUFFIX)) {
                put(texts, field.getKey(), field.getValue());
              }
            });
  }

  private static void put(Map<String, String> texts, String name, JsonNode value) {
    JsonNode text = value.isObject() ? value.path("content") : value;
    if (text.isTextual()) {
      texts.put(name, text.textValue());
    }
  }

  /** The text that begins a sequence. */
  Optional<String> begin() {
    return Optional.ofNullable(byName.get("bos_token"));
  }

  /** The text that stands for an image, where the tokenizer names one. */
  Optional<String> image() {
    return Optional.ofNullable(byName.get("image_token"));
  }
}
