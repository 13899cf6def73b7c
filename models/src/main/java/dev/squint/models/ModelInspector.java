package dev.squint.models;

import dev.squint.models.graph.DecoderGraph;
import dev.squint.models.graph.GraphSummary;
import dev.squint.models.graph.OnnxGraph;
import dev.squint.models.graph.SegmentExtractor;
import dev.squint.models.graph.SegmentSpec;
import dev.squint.models.graph.VisionGraph;
import dev.squint.pruning.ModelFacts;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.Strategy;
import dev.squint.pruning.StrategyException;
import dev.squint.pruning.StrategyProvider;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.IntStream;

/** Reads the graphs of an exported model and says what was found, without running anything. */
public final class ModelInspector {

  private final List<ModelReport.GraphFile> graphs = new ArrayList<>();
  private Optional<DecoderGraph> decoder = Optional.empty();
  private Optional<VisionGraph> vision = Optional.empty();

  private ModelInspector() {}

  /**
   * Inspects a model.
   *
   * @param model a folder in hub, onnxruntime-genai or Mobius layout, or one ONNX file
   * @param precision which files of a hub-layout folder, such as {@code q4}; empty for the most
   *     exact
   * @return what was found
   * @throws ModelException if there is no model or one of its files is broken
   */
  public static ModelReport inspect(Path model, String precision) {
    return new ModelInspector().report(model, ModelFiles.find(model, precision));
  }

  private ModelReport report(Path model, ModelFiles files) {
    files.decoder().ifPresent(this::readDecoderOrTower);
    files.vision().ifPresent(file -> vision = Optional.of(new VisionGraph(read("vision", file))));
    files.embedding().ifPresent(file -> read("embedding", file));
    Optional<ModelConfig> config = Optional.empty();
    Optional<String> note = Optional.empty();
    try {
      config = files.config().map(file -> ConfigReader.read(file.toAbsolutePath().getParent()));
    } catch (ModelException e) {
      note = Optional.of("strategies were not tried: " + e.getMessage());
    }
    Map<String, Optional<String>> strategies = new LinkedHashMap<>();
    if (config.isPresent() && decoder.isPresent() && vision.isPresent()) {
      String name = String.valueOf(model.toAbsolutePath().normalize().getFileName());
      ModelFacts facts = VisionLanguageModel.facts(name, config.get(), decoder.get(), vision.get());
      for (StrategyProvider provider : Strategies.available()) {
        strategies.put(provider.name(), refusal(provider.name(), facts));
      }
    } else if (note.isEmpty()) {
      note =
          Optional.of(
              "strategies were not tried: that takes a decoder, a vision tower and a config.json");
    }
    return new ModelReport(
        files.layout(),
        config.map(ModelConfig::modelType),
        config.map(ModelConfig::visualTokens),
        List.copyOf(graphs),
        decoder.map(found -> describe(found, config(files))),
        vision.map(ModelInspector::describe),
        strategies,
        note);
  }

  private static Optional<ModelConfig.Text> config(ModelFiles files) {
    try {
      return files
          .config()
          .map(file -> ConfigReader.read(file.toAbsolutePath().getParent()).text());
    } catch (ModelException e) {
      return Optional.empty();
    }
  }

  private OnnxGraph read(String role, Path file) {
    OnnxGraph graph = OnnxGraph.read(file);
    try {
      graphs.add(new ModelReport.GraphFile(role, file, Files.size(file), GraphSummary.of(graph)));
    } catch (IOException e) {
      throw new ModelException("cannot read %s: %s".formatted(file, e.getMessage()), e);
    }
    return graph;
  }

  private void readDecoderOrTower(Path file) {
    OnnxGraph graph = OnnxGraph.read(file);
    if (graph.hasInput(VisionGraph.PIXELS)) {
      vision = Optional.of(new VisionGraph(read("vision", file)));
    } else {
      decoder = Optional.of(new DecoderGraph(read("decoder", file)));
    }
  }

  private static ModelReport.Decoder describe(
      DecoderGraph decoder, Optional<ModelConfig.Text> config) {
    Map<Integer, String> attention = new TreeMap<>();
    Map<Integer, String> uncuttable = new TreeMap<>();
    Map<Integer, String> untappable = new TreeMap<>();
    for (int layer = 0; layer < decoder.layers(); layer++) {
      try {
        attention.put(layer, decoder.attentionEncoding(layer));
      } catch (ModelException e) {
        untappable.put(layer, e.getMessage());
      }
      try {
        SegmentExtractor.extract(
            decoder, new SegmentSpec(layer, layer + 1, layer > 0, false, List.of()));
      } catch (ModelException e) {
        uncuttable.put(layer, e.getMessage());
      }
    }
    return new ModelReport.Decoder(
        decoder.layers(),
        config.map(ModelConfig.Text::heads),
        known(decoder.kvHeads()).or(() -> config.map(ModelConfig.Text::kvHeads)),
        known(decoder.hidden()).or(() -> config.map(ModelConfig.Text::hidden)),
        known(decoder.headDim()).or(() -> config.map(ModelConfig.Text::headDim)),
        attention,
        decoder.positions(),
        uncuttable,
        untappable);
  }

  private static Optional<Integer> known(long size) {
    return size > 0 ? Optional.of((int) size) : Optional.empty();
  }

  private static ModelReport.Vision describe(VisionGraph tower) {
    return new ModelReport.Vision(
        tower.layers(),
        tower.hasCls(),
        tower.encodings(),
        IntStream.range(0, tower.layers()).filter(tower::isWindowed).boxed().toList(),
        tower.inputs());
  }

  /** Goes the way of a strategy up to the point where something would run. */
  private Optional<String> refusal(String spec, ModelFacts facts) {
    try {
      Strategy strategy = Strategies.parse(spec);
      PruningPlan plan = PruningPlan.of(strategy, facts, decoder.orElseThrow().positions());
      plan.segments().forEach(part -> SegmentExtractor.extract(decoder.orElseThrow(), part));
      vision.orElseThrow().withTaps(plan.visionTaps());
      return Optional.empty();
    } catch (ModelException | StrategyException e) {
      return Optional.of(e.getMessage());
    }
  }
}
