package dev.squint.models;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Reads {@code config.json} and {@code generation_config.json}, wherever exporters have put the
 * fields. Sizes beyond any model's are refused, so that no product of two of them overflows.
 */
final class ConfigReader {

  private static final List<String> TEXT_SECTIONS =
      List.of("text_config", "llm_config", "language_config", "phi_config");
  private static final double LLAMA_THETA = 10_000;
  private static final int DEFAULT_CONTEXT = 2048;

  private static final int MOST_LAYERS = 1 << 14;
  private static final int WIDEST = 1 << 22;
  private static final int MOST_HEADS = 1 << 14;
  private static final int MOST_TOKENS = 1 << 28;
  private static final int LARGEST_SIDE = 1 << 14;

  private final Path file;
  private final ModelJson root;
  private final ModelJson text;
  private final ModelJson vision;

  private ConfigReader(ModelJson root) {
    this.file = root.file();
    this.root = root;
    this.text = textOf(root);
    this.vision = root.section("vision_config");
  }

  /** The section of a {@code config.json} that describes the decoder. */
  static ModelJson textOf(ModelJson root) {
    return TEXT_SECTIONS.stream()
        .filter(root::isSection)
        .findFirst()
        .map(root::section)
        .orElse(root);
  }

  static ModelConfig read(Path folder) {
    Path file = folder.resolve("config.json");
    if (!Files.exists(file)) {
      throw new ModelException(
          "no such file: "
              + file
              + "; a model folder in hub layout has config.json at its top and graphs in onnx");
    }
    ModelJson generation = ModelJson.readIfThere(folder.resolve("generation_config.json"));
    return new ConfigReader(ModelJson.read(file)).config(generation);
  }

  private ModelConfig config(ModelJson generation) {
    int hidden = text.positive("hidden_size", WIDEST);
    int heads = text.positive("num_attention_heads", MOST_HEADS);
    int vocabulary = text.positive("vocab_size", MOST_TOKENS);
    ModelConfig.Text decoder =
        new ModelConfig.Text(
            text.positive("num_hidden_layers", MOST_LAYERS),
            hidden,
            heads,
            text.whole("num_key_value_heads", 1, heads).orElse(heads),
            text.whole("head_dim", 1, WIDEST).orElseGet(() -> share(hidden, heads)),
            text.positive("intermediate_size", WIDEST),
            vocabulary,
            text.number("rope_theta", 1, 1e15)
                .or(() -> text.section("rope_parameters").number("rope_theta", 1, 1e15))
                .orElse(LLAMA_THETA));
    ModelConfig.Vision tower =
        new ModelConfig.Vision(
            layersThatRun(),
            vision.positive("hidden_size", WIDEST),
            vision.positive("num_attention_heads", MOST_HEADS),
            vision.positive("intermediate_size", WIDEST),
            vision.positive("image_size", LARGEST_SIDE),
            vision.positive("patch_size", LARGEST_SIDE));
    int grid = tower.imageSize() / tower.patchSize();
    if (grid == 0) {
      throw new ModelException(
          "%s: a patch of 'vision_config.patch_size' %d is larger than a picture of 'vision_config.image_size' %d; download or export it again"
              .formatted(file, tower.patchSize(), tower.imageSize()));
    }
    String field = root.has("image_token_index") ? "image_token_index" : "image_token_id";
    if (!root.has(field)) {
      throw new ModelException(
          file
              + " has neither 'image_token_index' nor 'image_token_id': this is no vision-language"
              + " model");
    }
    int tokens = Math.max(vocabulary, root.whole("vocab_size", 1, MOST_TOKENS).orElse(1));
    return new ModelConfig(
        root.text("model_type").orElse("unknown"),
        root.whole(field, 0, tokens - 1).orElseThrow(),
        root.whole("image_seq_length", 1, MOST_TOKENS).orElse(grid * grid),
        text.whole("max_position_embeddings", 1, MOST_TOKENS).orElse(DEFAULT_CONTEXT),
        endTokens(generation, tokens),
        decoder,
        tower);
  }

  private int share(int hidden, int heads) {
    if (hidden < heads) {
      throw new ModelException(
          "%s: a hidden size of %d cannot be shared by %d heads; download or export it again"
              .formatted(file, hidden, heads));
    }
    return hidden / heads;
  }

  /** A feature layer counts hidden states from the embedding at 0, or from the end at -1. */
  private int layersThatRun() {
    int layers = vision.positive("num_hidden_layers", MOST_LAYERS);
    int feature = root.whole("vision_feature_layer", -MOST_LAYERS, MOST_LAYERS).orElse(-1);
    int run = feature < 0 ? layers + 1 + feature : feature;
    return Math.max(1, Math.min(layers, run));
  }

  private Set<Long> endTokens(ModelJson generation, int tokens) {
    for (ModelJson json : List.of(generation, text, root)) {
      Set<Long> ends = new LinkedHashSet<>(json.wholes("eos_token_id", 0, tokens - 1));
      if (!ends.isEmpty()) {
        return ends;
      }
    }
    throw new ModelException(
        file + " and generation_config.json name no 'eos_token_id': answers would never end");
  }
}
