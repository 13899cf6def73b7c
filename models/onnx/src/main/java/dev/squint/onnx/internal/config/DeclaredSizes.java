package dev.squint.onnx.internal.config;

import dev.squint.onnx.config.ModelFiles;
import dev.squint.onnx.internal.io.ModelJson;
import java.util.Optional;

/**
 * The family and the sizes of a decoder as far as {@code genai_config.json} or {@code config.json}
 * declare them, of any family. Unlike {@link ConfigReader} this takes what is there.
 */
public record DeclaredSizes(
    Optional<String> family,
    Optional<Integer> heads,
    Optional<Integer> kvHeads,
    Optional<Integer> hidden,
    Optional<Integer> headDim,
    Optional<Integer> vocabulary) {

  public static DeclaredSizes of(ModelFiles files) {
    if (files.genaiConfig().isPresent()) {
      ModelJson model = ModelJson.read(files.genaiConfig().get()).section("model");
      ModelJson decoder = model.section("decoder");
      return new DeclaredSizes(
          model.text("type"),
          decoder.declared("num_attention_heads"),
          decoder.declared("num_key_value_heads"),
          decoder.declared("hidden_size"),
          decoder.declared("head_size"),
          model.declared("vocab_size"));
    }
    if (files.config().isEmpty()) {
      return new DeclaredSizes(
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty());
    }
    ModelJson root = ModelJson.read(files.config().get());
    ModelJson text = ConfigReader.textOf(root);
    Optional<Integer> heads = text.declared("num_attention_heads");
    Optional<Integer> hidden = text.declared("hidden_size");
    return new DeclaredSizes(
        root.text("model_type"),
        heads,
        text.declared("num_key_value_heads").or(() -> heads),
        hidden,
        text.declared("head_dim")
            .or(() -> hidden.flatMap(h -> heads.map(n -> h / n)).filter(dim -> dim > 0)),
        text.declared("vocab_size").or(() -> root.declared("vocab_size")));
  }
}
