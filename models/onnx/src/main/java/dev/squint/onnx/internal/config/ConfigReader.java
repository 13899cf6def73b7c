package dev.squint.onnx.internal.config;

import dev.squint.error.ModelException;
import dev.squint.onnx.config.DecodingRules;
import dev.squint.onnx.config.ModelConfig;
import dev.squint.onnx.config.ModelFiles;
import dev.squint.onnx.internal.decoder.DecoderGraph;
import dev.squint.onnx.internal.io.ModelJson;
import dev.squint.onnx.internal.io.Printable;
import dev.squint.onnx.internal.vision.TowerSizes;
import dev.squint.onnx.internal.vision.VisionGraph;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Reads {@code config.json} and {@code generation_config.json}, wherever exporters have put the
 * fields. Sizes beyond any model's are refused, so that no product of two of them overflows.
 *
 * <p>A size is taken from the graph that has it, for that is what runs; else from the config; else
 * from the class of its {@code model_type}. Where the config writes out a number of layers or a
 * hidden size that the graphs do not have, the files are of two models, and it is refused.
 */
public final class ConfigReader {

  private static final List<String> TEXT_SECTIONS =
      List.of("text_config", "llm_config", "language_config", "phi_config");
  private static final String LLAVA = "llava";
  private static final String LLAMA = "llama";
  private static final String CLIP = "clip_vision_model";
  private static final double LLAMA_THETA = 10_000;
  private static final int LLAVA_IMAGE_TOKEN = 32_000;
  private static final long LLAVA_FEATURE_LAYER = -2;
  private static final Set<String> SECOND_LAST = Set.of(LLAVA, "llava_next");
  private static final String MOONDREAM = "moondream1";
  private static final String IMAGE = "<image>";
  private static final long LAST = -1;

  /** Other names of the sizes of a tower, each before the usual one where both may stand. */
  private static final Map<String, List<String>> TOWER_NAMES =
      Map.of(
          "hidden_size", List.of("embed_dim"),
          "num_hidden_layers", List.of("depth"),
          "num_attention_heads", List.of("num_heads"));

  /** Patches in a row of the image that stands for all where a tower takes any size. */
  private static final int USUAL_GRID = 32;

  private static final int LARGEST_MERGE = 64;
  private static final int MOST_LAYERS = 1 << 14;
  private static final int WIDEST = 1 << 22;
  private static final int MOST_HEADS = 1 << 14;
  private static final int MOST_TOKENS = 1 << 28;
  private static final int LARGEST_SIDE = 1 << 14;

  private final Path file;
  private final ModelJson root;
  private final boolean llava;
  private final String type;
  private final ClassDefaults.Model model;
  private final Part text;
  private final Part vision;
  private final Optional<DecoderGraph> decoder;
  private final Optional<TowerSizes> tower;
  private final Optional<VisionGraph> images;

  /**
   * A part of a model.
   *
   * @param json what the config says of it
   * @param defaults what its class says
   * @param type its {@code model_type}
   * @param names other names of its fields
   */
  private record Part(
      ModelJson json, ClassDefaults.Sizes defaults, String type, Map<String, List<String>> names) {

    Optional<Integer> written(String field, int most) {
      String name =
          names.getOrDefault(field, List.of()).stream().filter(json::has).findFirst().orElse(field);
      return json.whole(name, 1, most);
    }

    /** The size that a graph tells, or else the config, or else the class. */
    int size(String field, long graph, int most) {
      Optional<Integer> written = written(field, most);
      if (graph > 0 && graph <= most) {
        return (int) graph;
      }
      return written
          .or(() -> defaults.whole(field))
          .orElseThrow(
              () ->
                  new ModelException(
                      "%s has no '%s', its graphs do not tell, and the defaults of model_type '%s' are not known; write the number into it"
                          .formatted(json.file(), json.path(field), Printable.of(type))));
    }
  }

  private ConfigReader(
      ModelJson root, Optional<DecoderGraph> decoder, Optional<VisionGraph> images) {
    this.file = root.file();
    this.root = root;
    this.type = root.text("model_type").orElse("unknown");
    this.llava = type.equals(LLAVA);
    this.decoder = decoder;
    this.images = images;
    this.tower = images.map(VisionGraph::sizes);
    ClassDefaults defaults = ClassDefaults.read();
    this.model = defaults.model(type);
    ModelJson decoding = textOf(root);
    String textType = decoding.text("model_type").orElse(model.text().orElse(LLAMA));
    this.text =
        new Part(
            decoding,
            model.textSizes().orElseGet(() -> defaults.text(textType)),
            textType,
            Map.of());
    ModelJson seeing = root.section("vision_config");
    String visionType = seeing.text("model_type").orElse(model.vision().orElse(CLIP));
    Optional<ClassDefaults.Sizes> whole =
        llava ? Optional.of(defaults.llavaVision()) : model.wholeVision();
    this.vision =
        new Part(
            seeing,
            whole
                .filter(sizes -> !root.isSection("vision_config"))
                .or(model::visionSizes)
                .orElseGet(() -> defaults.vision(visionType)),
            visionType,
            TOWER_NAMES);
  }

  /** The section of a {@code config.json} that describes the decoder. */
  static ModelJson textOf(ModelJson root) {
    boolean inRoot = root.has("hidden_size") || root.has("num_hidden_layers");
    return TEXT_SECTIONS.stream()
        .filter(root::isSection)
        .findFirst()
        .map(root::section)
        .orElseGet(() -> inRoot ? root : root.section(TEXT_SECTIONS.get(0)));
  }

  /** What the JSON files say by themselves. */
  public static ModelConfig read(Path folder) {
    return read(root(folder), folder, Optional.empty(), Optional.empty());
  }

  /**
   * What the files of a model say.
   *
   * @param root its {@link #root}
   * @param decoder the decoder's graph
   * @param vision the vision tower's graph
   * @throws ModelException if something is missing that nothing else tells, is not what it has to
   *     be, contradicts a graph, or would change answers in a way that is not known here
   */
  public static ModelConfig read(
      ModelJson root, Path folder, Optional<DecoderGraph> decoder, Optional<VisionGraph> vision) {
    return new ConfigReader(root, decoder, vision).config(folder);
  }

  /**
   * What describes a model: {@code config.json}, or else {@code genai_config.json} in its words.
   *
   * @throws ModelException if there is neither
   */
  public static ModelJson root(Path folder) {
    Path file = folder.resolve("config.json");
    if (Files.exists(file)) {
      return ModelJson.read(file);
    }
    return genai(folder).map(GenaiConfig::config).orElseThrow(() -> ModelFiles.noConfig(folder));
  }

  private static Optional<GenaiConfig> genai(Path folder) {
    return Optional.of(folder.resolve("genai_config.json"))
        .filter(Files::exists)
        .map(GenaiConfig::read);
  }

  private ModelConfig config(Path folder) {
    if (AnswerCheck.CHOOSING.contains(type)) {
      checkLlava();
    }
    ModelConfig.Text sizes = text();
    ModelConfig.Vision seen = vision();
    int grid = seen.imageSize() / seen.patchSize();
    if (grid == 0) {
      throw new ModelException(
          "%s: a patch of 'vision_config.patch_size' %d is larger than an image of 'vision_config.image_size' %d; download or export it again"
              .formatted(file, seen.patchSize(), seen.imageSize()));
    }
    int tokens =
        Math.max(
            Math.max(sizes.vocabulary(), text.written("vocab_size", MOST_TOKENS).orElse(1)),
            root.whole("vocab_size", 1, MOST_TOKENS).orElse(1));
    // What it says is not used, for the tower decides; a file with nonsense in it is damaged.
    root.whole("image_seq_length", 1, MOST_TOKENS);
    ModelJson generation =
        genai(folder)
            .map(GenaiConfig::generation)
            .orElseGet(() -> ModelJson.readIfThere(folder.resolve("generation_config.json")));
    boolean given = Files.exists(generation.file());
    Set<Long> ends = given ? ends(generation, tokens) : endsOfConfig(tokens);
    return new ModelConfig(
            type,
            imageToken(folder, tokens),
            tower
                .filter(found -> seen.patchesPerToken() == 1)
                .map(found -> found.tokens(grid * grid))
                .orElse(OptionalInt.empty())
                .orElse(grid * grid / seen.patchesPerToken()),
            text.size("max_position_embeddings", -1, MOST_TOKENS),
            ends,
            sizes,
            seen,
            given
                ? DecodingRulesReader.read(generation, tokens, ends)
                : rulesOfConfig(tokens, ends),
            SamplingRulesReader.read(given ? generation : root))
        .laidOut();
  }

  private DecodingRules rulesOfConfig(int tokens, Set<Long> ends) {
    DecodingRules rules = DecodingRulesReader.read(root, tokens, ends);
    return rules.equals(DecodingRules.NONE)
        ? DecodingRulesReader.read(text.json(), tokens, ends)
        : rules;
  }

  /** Refuses what would change the pixels or the features in a way not known here. */
  private void checkLlava() {
    if (!vision.defaults().known()) {
      throw new ModelException(
          "%s: the vision tower is of model_type '%s', which Squint does not know how to feed; use a model with a CLIP or SigLIP tower"
              .formatted(file, Printable.of(vision.type())));
    }
    root.text("vision_feature_select_strategy")
        .filter(strategy -> !Set.of("default", "full").contains(strategy))
        .ifPresent(
            strategy -> {
              throw root.wrong("vision_feature_select_strategy", "default or full");
            });
  }

  private ModelConfig.Text text() {
    long layers = decoder.map(graph -> (long) graph.layers()).orElse(-1L);
    long hiddenSize = decoder.map(DecoderGraph::hidden).orElse(-1L);
    requireSame("%d decoder layers", "num_hidden_layers", MOST_LAYERS, layers);
    requireSame("a hidden size of %d", "hidden_size", WIDEST, hiddenSize);
    int hidden = text.size("hidden_size", hiddenSize, WIDEST);
    int heads =
        text.size("num_attention_heads", decoder.map(DecoderGraph::heads).orElse(-1L), MOST_HEADS);
    int most = Math.max(heads, text.written("num_attention_heads", MOST_HEADS).orElse(1));
    int kvHeads =
        known(decoder.map(DecoderGraph::kvHeads), MOST_HEADS)
            .or(() -> text.json().whole("num_key_value_heads", 1, most))
            .or(() -> text.defaults().whole("num_key_value_heads"))
            .orElse(heads);
    Optional<Integer> written = text.written("head_dim", WIDEST);
    int headDim =
        known(decoder.map(DecoderGraph::headDim), WIDEST)
            .or(() -> written)
            .or(() -> text.defaults().whole("head_dim"))
            .orElseGet(() -> share(hidden, heads));
    return new ModelConfig.Text(
        text.size("num_hidden_layers", layers, MOST_LAYERS),
        hidden,
        heads,
        kvHeads,
        headDim,
        text.size("intermediate_size", decoder.map(DecoderGraph::intermediate).orElse(-1L), WIDEST),
        text.size("vocab_size", decoder.map(DecoderGraph::vocabulary).orElse(-1L), MOST_TOKENS),
        text.json()
            .number("rope_theta", 1, 1e15)
            .or(() -> text.json().section("rope_parameters").number("rope_theta", 1, 1e15))
            .or(() -> text.defaults().number("rope_theta"))
            .orElse(LLAMA_THETA));
  }

  private void requireSame(String what, String field, int most, long graph) {
    Optional<Integer> written = text.written(field, most);
    if (graph > 0 && written.isPresent() && written.get() != graph) {
      throw new ModelException(
          "config.json says %s, but the decoder has %d; the files do not belong together"
              .formatted(what.formatted(written.get()), graph));
    }
  }

  private static Optional<Integer> known(Optional<Long> size, int most) {
    return size.filter(found -> found > 0 && found <= most).map(Long::intValue);
  }

  private int share(int hidden, int heads) {
    if (hidden < heads) {
      throw new ModelException(
          "%s: a hidden size of %d cannot be shared by %d heads; download or export it again"
              .formatted(file, hidden, heads));
    }
    return hidden / heads;
  }

  private ModelConfig.Vision vision() {
    int patch =
        vision.size("patch_size", tower.map(TowerSizes::patchSize).orElse(-1L), LARGEST_SIDE);
    int hidden = vision.size("hidden_size", tower.map(TowerSizes::hidden).orElse(-1L), WIDEST);
    int merge = mergeSide();
    int size = imageSize(patch, merge);
    return new ModelConfig.Vision(
        layersThatRun(),
        hidden,
        vision.size("num_attention_heads", tower.map(TowerSizes::heads).orElse(-1L), MOST_HEADS),
        intermediate(hidden),
        size,
        patch,
        merge * merge);
  }

  private int intermediate(int hidden) {
    long graph = tower.map(TowerSizes::intermediate).orElse(-1L);
    Optional<Double> ratio = vision.json().number("mlp_ratio", 0.01, 100);
    return ratio.isPresent() && !vision.json().has("intermediate_size") && graph <= 0
        ? (int) (hidden * ratio.get())
        : vision.size("intermediate_size", graph, WIDEST);
  }

  /** Rows and columns of the patches that become one visual token. */
  private int mergeSide() {
    return root.whole("scale_factor", 1, LARGEST_MERGE)
        .or(() -> vision.written("spatial_merge_size", LARGEST_MERGE))
        .or(model::scaleFactor)
        .or(() -> vision.defaults().whole("spatial_merge_size"))
        .orElse(1);
  }

  private int imageSize(int patch, int merge) {
    boolean anySize =
        images.map(VisionGraph::takesPatches).orElse(false)
            || (merge > 1 && !vision.json().has("image_size"));
    return anySize && vision.defaults().whole("image_size").isEmpty()
        ? USUAL_GRID * patch
        : vision.size("image_size", side(patch), LARGEST_SIDE);
  }

  /**
   * Pixels of a side of the image, -1 where the tower takes any: those of its input, or else those
   * that it has positions for, if the config does not say.
   */
  private long side(int patch) {
    int rank = images.map(VisionGraph::inputRank).orElse(0);
    long height = rank < 4 ? -1L : images.get().inputDimension(rank - 2);
    long width = rank < 4 ? -1L : images.get().inputDimension(rank - 1);
    if (height > 0 && height == width) {
      return height;
    }
    if (vision.json().has("image_size") || tower.isEmpty() || tower.get().positions() < 0) {
      return -1;
    }
    long patches = tower.get().positions() - (images.get().hasCls() ? 1 : 0);
    long rows = Math.round(Math.sqrt((double) patches));
    return rows * rows == patches ? rows * patch : -1;
  }

  /** A feature layer counts hidden states from the embedding at 0, or from the end at -1. */
  private int layersThatRun() {
    int inGraph = images.map(VisionGraph::layers).orElse(0);
    List<Long> features = root.wholes("vision_feature_layer", -MOST_LAYERS, MOST_LAYERS);
    if (inGraph > 0) {
      return inGraph;
    }
    int all = vision.size("num_hidden_layers", -1, MOST_LAYERS);
    long last = 0;
    for (long feature :
        features.isEmpty()
            ? List.of(SECOND_LAST.contains(type) ? LLAVA_FEATURE_LAYER : LAST)
            : features) {
      last = Math.max(last, feature < 0 ? all + 1 + feature : feature);
    }
    return (int) Math.max(1, Math.min(all, last));
  }

  private long imageToken(Path folder, int tokens) {
    String field = root.has("image_token_index") ? "image_token_index" : "image_token_id";
    if (root.has(field)) {
      return root.whole(field, 0, tokens - 1).orElseThrow();
    }
    Optional<Integer> usual =
        llava
            ? Optional.of(LLAVA_IMAGE_TOKEN)
            : type.equals(MOONDREAM) ? addedToken(folder) : model.imageToken();
    if (usual.isPresent() && usual.get() < tokens) {
      return usual.get();
    }
    throw new ModelException(
        file
            + " has neither 'image_token_index' nor 'image_token_id': "
            + (usual.isPresent()
                ? "name the token that stands for an image"
                : "this is no vision-language model"));
  }

  /** The token of the tokenizer that is written as an image is in prompts. */
  private static Optional<Integer> addedToken(Path folder) {
    ModelJson added =
        ModelJson.readIfThere(folder.resolve("tokenizer_config.json"))
            .section("added_tokens_decoder");
    Optional<Integer> listed =
        ModelJson.readIfThere(folder.resolve("added_tokens.json")).whole(IMAGE, 0, MOST_TOKENS);
    return listed.isPresent()
        ? listed
        : added.fields().stream()
            .filter(id -> id.matches("\\d{1,9}"))
            .filter(id -> added.section(id).text("content").filter(IMAGE::equals).isPresent())
            .map(Integer::valueOf)
            .findFirst();
  }

  /** None is a valid answer: transformers then goes on to the longest answer. */
  private static Set<Long> ends(ModelJson json, int tokens) {
    return new LinkedHashSet<>(json.wholes("eos_token_id", 0, tokens - 1L));
  }

  /** Without a generation_config.json. */
  private Set<Long> endsOfConfig(int tokens) {
    for (ModelJson json : List.of(root, text.json())) {
      Set<Long> ends = ends(json, tokens);
      if (!ends.isEmpty()) {
        return ends;
      }
      if (json.has("eos_token_id")) {
        break;
      }
    }
    return text.defaults()
        .whole("eos_token_id")
        .filter(end -> end < tokens && !text.json().has("eos_token_id"))
        .map(end -> Set.of((long) end))
        .orElseThrow(
            () ->
                new ModelException(
                    file
                        + " and generation_config.json name no 'eos_token_id': answers would never end"));
  }
}
