package dev.squint.onnx.config;

import com.fasterxml.jackson.databind.JsonNode;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import dev.squint.onnx.internal.decoder.DecoderPair;
import dev.squint.onnx.internal.io.FileFailure;
import dev.squint.onnx.internal.io.JsonFile;
import dev.squint.onnx.internal.io.Printable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The files of an exported model.
 *
 * <p>A folder in hub layout has {@code config.json} at its top and its graphs in {@code onnx} or
 * next to it. A graph may be there in several precisions, told apart by what follows its name. They
 * are chosen for each graph by itself, for not every graph is there in each: the precision that was
 * asked for, else the most exact.
 *
 * @param layout how they lie, for people
 * @param decoder the decoder's graph
 * @param vision the vision tower's graph
 * @param embedding the graph that embeds text
 * @param config {@code config.json}
 * @param genaiConfig {@code genai_config.json}
 */
public record ModelFiles(
    String layout,
    Optional<Path> decoder,
    Optional<Path> vision,
    Optional<Path> embedding,
    Optional<Path> config,
    Optional<Path> genaiConfig) {

  private static final String HUB_LAYOUT =
      "a model folder in hub layout has config.json at its top and its graphs in onnx or next to it";

  /** What the graphs without a suffix are. */
  private static final String EXACT = "fp32";

  /** The precisions of a hub-layout folder, the exact ones first. */
  private static final List<String> SUFFIXES =
      List.of(
          "",
          "_fp32",
          "_fp16",
          "_bf16",
          "_q8",
          "_q8f16",
          "_q4f16",
          "_q4",
          "_bnb4",
          "_int4",
          "_int8",
          "_uint8",
          "_quantized",
          "_q2f16",
          "_q2",
          "_q1f16",
          "_q1");

  /** A decoder that reads a past does both jobs; one next to it does not. */
  private static final List<String> DECODERS =
      List.of(
          "decoder_model_merged", "decoder_with_past_model", "decoder_model", "decoder", "model");

  private static final List<String> TOWERS = List.of("vision_encoder", "vision");
  private static final List<String> EMBEDDINGS = List.of("embed_tokens");

  private static final Pattern PRECISION = Pattern.compile("[\\w.-]{0,40}");
  private static final Pattern GRAPH =
      Pattern.compile(
          "(?:decoder_model_merged|decoder_with_past_model|decoder_model|decoder|model|vision_encoder|vision|embed_tokens)(?:_([\\w.-]{1,40}?))?\\.onnx");

  /** Where the user may have meant another folder. */
  private static final int SHOWN = 3;

  /**
   * Finds them.
   *
   * @param model a folder in hub, onnxruntime-genai or Mobius layout, or one ONNX file
   * @param precision suffix of the files in hub layout without its underscore, such as {@code q4};
   *     empty for the most exact that is there
   * @throws ModelException if there is no such model
   */
  public static ModelFiles find(Path model, String precision) {
    if (!PRECISION.matcher(precision).matches()) {
      throw new ModelException(
          Kind.BAD_REQUEST,
          "'%s' is no precision; name one such as q4 or fp16".formatted(Printable.of(precision)));
    }
    if (Files.isRegularFile(model)) {
      return single(model);
    }
    if (!Files.isDirectory(model)) {
      throw new ModelException(
          Kind.BAD_REQUEST,
          "no such model: " + model + "; name a folder or an .onnx file of an exported model");
    }
    Optional<Path> config = existing(model.resolve("config.json"));
    Path genai = model.resolve("genai_config.json");
    if (Files.isRegularFile(genai)) {
      return genai(model, genai, config);
    }
    if (Files.isRegularFile(model.resolve("decoder").resolve("model.onnx"))) {
      return new ModelFiles(
          "Mobius",
          existing(model.resolve("decoder").resolve("model.onnx")),
          existing(model.resolve("vision_encoder").resolve("model.onnx")),
          existing(model.resolve("embedding").resolve("model.onnx")),
          config,
          Optional.empty());
    }
    return hub(model, precision, config);
  }

  /** What to say of a folder without a {@code config.json}. */
  public static ModelException noConfig(Path folder) {
    Path file = folder.resolve("config.json");
    Path above = folder.toAbsolutePath().normalize().getParent();
    if (above != null && Files.isRegularFile(above.resolve("config.json"))) {
      return new ModelException(
          "no such file: %s; there is one in the folder above, so name that: %s"
              .formatted(file, above));
    }
    List<Path> within = modelsWithin(folder);
    if (!within.isEmpty()) {
      return new ModelException(
          "no such file: %s; there is one in %s, so name that folder"
              .formatted(
                  file,
                  Printable.of(
                      String.join(" and one in ", within.stream().map(Path::toString).toList()))));
    }
    return new ModelException("no such file: %s; %s".formatted(file, HUB_LAYOUT));
  }

  private static List<Path> modelsWithin(Path folder) {
    try (Stream<Path> children = Files.list(folder)) {
      return children
          .filter(child -> Files.isRegularFile(child.resolve("config.json")))
          .sorted()
          .limit(SHOWN)
          .toList();
    } catch (IOException e) {
      throw new ModelException(
          "%s cannot be listed (%s); check its permissions"
              .formatted(folder, FileFailure.reason(e)),
          e);
    }
  }

  /** The decoder's graph. */
  public Path requireDecoder(Path model) {
    return decoder.orElseThrow(() -> missing(model, DECODERS.get(0)));
  }

  /** The graph of the vision tower. */
  public Path requireVision(Path model) {
    return vision.orElseThrow(() -> missing(model, TOWERS.get(0)));
  }

  /** The graph that embeds text. */
  public Path requireEmbedding(Path model) {
    return embedding.orElseThrow(() -> missing(model, EMBEDDINGS.get(0)));
  }

  private ModelException missing(Path model, String name) {
    if (layout.equals("hub")) {
      return new ModelException(
          "no such file: %s; %s"
              .formatted(model.resolve("onnx").resolve(name + ".onnx"), HUB_LAYOUT));
    }
    return new ModelException(
        "%s, in %s layout, has no graph in the place of %s.onnx, without which no question can be answered; export the model with three graphs"
            .formatted(model, layout, name));
  }

  private static ModelFiles hub(Path model, String precision, Optional<Path> config) {
    Path onnx = model.resolve("onnx");
    Set<String> there = precisions(onnx);
    Path graphs = there.isEmpty() ? model : onnx;
    there = there.isEmpty() ? precisions(model) : there;
    if (there.isEmpty()) {
      throw nothing(model, config);
    }
    if (!precision.isEmpty() && !there.contains(precision)) {
      throw new ModelException(
          Kind.BAD_REQUEST,
          "%s has no graph of precision '%s': looked for onnx/decoder_model_merged_%s.onnx; there is %s"
              .formatted(model, precision, precision, Printable.of(String.join(", ", there))));
    }
    Hub hub = new Hub("", precision, name -> Files.isRegularFile(graphs.resolve(name)));
    Optional<Path> decoder = hub.graph(DECODERS).map(graphs::resolve);
    Optional<Path> vision = hub.graph(TOWERS).map(graphs::resolve);
    if (decoder.isEmpty() && vision.isEmpty()) {
      throw nothing(model, config);
    }
    return new ModelFiles(
        "hub",
        decoder,
        vision,
        hub.graph(EMBEDDINGS).map(graphs::resolve),
        config,
        Optional.empty());
  }

  /**
   * The graphs that {@link #find} would take of a folder in hub layout.
   *
   * @param files what the folder holds, as paths within it, with slashes
   * @param precision as there
   * @return paths of the decoder, the vision tower and the embedding, those that there are; empty
   *     if there is neither a decoder nor a vision tower
   */
  public static List<String> graphs(Set<String> files, String precision) {
    boolean apart =
        files.stream()
            .anyMatch(
                file ->
                    file.startsWith("onnx/")
                        && GRAPH.matcher(file.substring("onnx/".length())).matches());
    Hub hub = new Hub(apart ? "onnx/" : "", precision, files::contains);
    List<String> found =
        Stream.of(DECODERS, TOWERS, EMBEDDINGS)
            .map(hub::graph)
            .flatMap(Optional::stream)
            .flatMap(file -> Stream.concat(Stream.of(file), DecoderPair.promptName(file).stream()))
            .filter(files::contains)
            .toList();
    boolean model = hub.graph(DECODERS).isPresent() || hub.graph(TOWERS).isPresent();
    return model ? found : List.of();
  }

  /** The graphs of a hub-layout folder. */
  private record Hub(String folder, String precision, Predicate<String> isThere) {

    Optional<String> graph(List<String> names) {
      List<String> wanted =
          precision.equals(EXACT) ? List.of("_" + EXACT, "") : List.of("_" + precision);
      return first(names, precision.isEmpty() ? List.of() : wanted)
          .or(() -> first(names, SUFFIXES));
    }

    private Optional<String> first(List<String> names, List<String> suffixes) {
      return names.stream()
          .flatMap(name -> suffixes.stream().map(suffix -> folder + name + suffix + ".onnx"))
          .filter(isThere)
          .findFirst();
    }
  }

  private static ModelException nothing(Path model, Optional<Path> config) {
    List<Path> within = config.isPresent() ? List.of() : modelsWithin(model);
    return within.isEmpty()
        ? new ModelException(
            "%s holds no exported model: looked for genai_config.json, decoder/model.onnx and onnx/decoder_model_merged.onnx"
                .formatted(model))
        : noConfig(model);
  }

  /** What the graphs of a folder are there in; the exact one without a suffix is {@code fp32}. */
  private static Set<String> precisions(Path folder) {
    if (!Files.isDirectory(folder)) {
      return Set.of();
    }
    Set<String> found = new TreeSet<>();
    try (Stream<Path> children = Files.list(folder)) {
      for (Path child : children.filter(Files::isRegularFile).toList()) {
        Matcher graph = GRAPH.matcher(child.getFileName().toString());
        if (graph.matches()) {
          found.add(graph.group(1) == null ? EXACT : graph.group(1));
        }
      }
    } catch (IOException e) {
      throw new ModelException(
          "%s cannot be listed (%s); check its permissions"
              .formatted(folder, FileFailure.reason(e)),
          e);
    }
    return found;
  }

  private static ModelFiles genai(Path model, Path file, Optional<Path> config) {
    JsonNode parts = JsonFile.tree(file).path("model");
    Optional<Path> decoder = named(model, parts, "decoder");
    Optional<Path> vision = named(model, parts, "vision");
    if (decoder.isEmpty() && vision.isEmpty()) {
      throw new ModelException(
          "%s names no graph inside its folder as model.decoder.filename or model.vision.filename; download or export the model again"
              .formatted(file));
    }
    return new ModelFiles(
        "onnxruntime-genai",
        decoder,
        vision,
        named(model, parts, "embedding"),
        config,
        Optional.of(file));
  }

  private static Optional<Path> named(Path model, JsonNode parts, String part) {
    String name = parts.path(part).path("filename").asText("");
    try {
      boolean inside =
          !name.isEmpty() && model.resolve(name).normalize().startsWith(model.normalize());
      return inside ? existing(model.resolve(name)) : Optional.empty();
    } catch (InvalidPathException e) {
      return Optional.empty();
    }
  }

  private static ModelFiles single(Path file) {
    Path folder = file.toAbsolutePath().getParent();
    Path above = folder.getParent() == null ? folder : folder.getParent();
    Optional<Path> config =
        existing(folder.resolve("config.json")).or(() -> existing(above.resolve("config.json")));
    return new ModelFiles(
        "one file",
        Optional.of(file),
        Optional.empty(),
        Optional.empty(),
        config,
        Optional.empty());
  }

  private static Optional<Path> existing(Path file) {
    return Optional.of(file).filter(Files::isRegularFile);
  }
}
