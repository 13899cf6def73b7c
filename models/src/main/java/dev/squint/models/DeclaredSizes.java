package dev.squint.models;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The family and the sizes of a decoder as far as {@code genai_config.json} or {@code config.json}
 * declare them, of any family. Unlike {@link ConfigReader} this takes what is there.
 */
record DeclaredSizes(
    Optional<String> family,
    Optional<Integer> heads,
    Optional<Integer> kvHeads,
    Optional<Integer> hidden,
    Optional<Integer> headDim,
    Optional<Integer> vocabulary) {

  static DeclaredSizes of(ModelFiles files) {
    if (files.genaiConfig().isPresent()) {
      JsonNode model = ModelFiles.json(files.genaiConfig().get()).path("model");
      JsonNode decoder = model.path("decoder");
      return new DeclaredSizes(
          text(model, "type"),
          number(decoder, "num_attention_heads"),
          number(decoder, "num_key_value_heads"),
          number(decoder, "hidden_size"),
          number(decoder, "head_size"),
          number(model, "vocab_size"));
    }
    JsonNode root =
        files.config().map(ModelFiles::json).orElseGet(() -> new ObjectMapper().nullNode());
    JsonNode text = ConfigReader.textOf(root);
    Optional<Integer> heads = number(text, "num_attention_heads");
    Optional<Integer> hidden = number(text, "hidden_size");
    return new DeclaredSizes(
        text(root, "model_type"),
        heads,
        number(text, "num_key_value_heads").or(() -> heads),
        hidden,
        number(text, "head_dim").or(() -> hidden.flatMap(h -> heads.map(n -> h / n))),
        number(text, "vocab_size").or(() -> number(root, "vocab_size")));
  }

  private static Optional<String> text(JsonNode node, String field) {
    return Stream.of(node.path(field).asText("")).filter(t -> !t.isEmpty()).findFirst();
  }

  private static Optional<Integer> number(JsonNode node, String field) {
    return Stream.of(node.path(field).asInt(0)).filter(n -> n > 0).findFirst();
  }
}
