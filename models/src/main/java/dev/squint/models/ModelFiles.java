package dev.squint.models;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The files of an exported model.
 *
 * @param layout how they lie, for people
 * @param decoder the decoder's graph
 * @param vision the vision tower's graph
 * @param embedding the graph that embeds text
 * @param config {@code config.json}
 * @param genaiConfig {@code genai_config.json}
 */
record ModelFiles(
    String layout,
    Optional<Path> decoder,
    Optional<Path> vision,
    Optional<Path> embedding,
    Optional<Path> config,
    Optional<Path> genaiConfig) {

  /** The precisions of a hub-layout folder, the exact ones first. */
  private static final List<String> SUFFIXES =
      List.of("", "_fp16", "_q4f16", "_q4", "_bnb4", "_int8", "_uint8", "_quantized");

  /**
   * Finds them.
   *
   * @param model a folder in hub, onnxruntime-genai or Mobius layout, or one ONNX file
   * @param precision suffix of the files in hub layout without its underscore, such as {@code q4};
   *     empty for the most exact that is there
   * @throws ModelException if there is no such model
   */
  static ModelFiles find(Path model, String precision) {
    if (Files.isRegularFile(model)) {
      return single(model);
    }
    if (!Files.isDirectory(model)) {
      throw new ModelException(
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

  /** The most exact file of a graph in hub layout, such as {@code decoder_model_merged}. */
  static Optional<Path> mostExact(Path graphs, String name) {
    return first(graphs, SUFFIXES, name);
  }

  private static ModelFiles hub(Path model, String precision, Optional<Path> config) {
    Path graphs = Files.isDirectory(model.resolve("onnx")) ? model.resolve("onnx") : model;
    List<String> suffixes = precision.isEmpty() ? SUFFIXES : List.of("_" + precision);
    Optional<Path> decoder =
        first(graphs, suffixes, "decoder_model_merged", "decoder_model", "decoder", "model");
    Optional<Path> vision = first(graphs, suffixes, "vision_encoder", "vision");
    if (decoder.isEmpty() && vision.isEmpty()) {
      throw new ModelException(
          "%s holds no exported model: looked for genai_config.json, decoder/model.onnx and onnx/decoder_model_merged%s.onnx"
              .formatted(model, precision.isEmpty() ? "" : "_" + precision));
    }
    return new ModelFiles(
        "hub", decoder, vision, first(graphs, suffixes, "embed_tokens"), config, Optional.empty());
  }

  private static Optional<Path> first(Path folder, List<String> suffixes, String... names) {
    return Stream.of(names)
        .flatMap(name -> suffixes.stream().map(suffix -> folder.resolve(name + suffix + ".onnx")))
        .filter(Files::isRegularFile)
        .findFirst();
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
