package dev.squint.engine.inspect;

import dev.squint.engine.VisionLanguageModel;
import dev.squint.engine.internal.prune.PruningPlan;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException;
import dev.squint.onnx.config.ConfigReader;
import dev.squint.onnx.config.DeclaredSizes;
import dev.squint.onnx.config.ModelConfig;
import dev.squint.onnx.config.ModelFiles;
import dev.squint.onnx.inspect.GraphSummary;
import dev.squint.onnx.internal.decoder.DecoderGraph;
import dev.squint.onnx.internal.decoder.Seam;
import dev.squint.onnx.internal.decoder.SegmentExtractor;
import dev.squint.onnx.internal.decoder.SegmentSpec;
import dev.squint.onnx.internal.graph.OnnxGraph;
import dev.squint.onnx.internal.io.FileFailure;
import dev.squint.onnx.internal.vision.VisionGraph;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.Strategy;
import dev.squint.pruning.StrategyType;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.shape.DecoderShape;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.shape.VisionShape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.stream.IntStream;

/** Reads the graphs of an exported model and says what was found, without running anything. */
public final class ModelInspector {

  private final List<ModelReport.GraphFile> graphs = new ArrayList<>();
  private final Map<SegmentSpec, Optional<String>> refusals = new HashMap<>();
  private final Map<List<Expression>, Optional<String>> tapRefusals = new HashMap<>();
  private Optional<DecoderGraph> decoder = Optional.empty();
  private Optional<VisionGraph> vision = Optional.empty();

  private final OptionalInt counted;

  private ModelInspector(OptionalInt counted) {
    this.counted = counted;
  }

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
    return inspect(model, precision, OptionalInt.empty());
  }

  /**
   * Inspects a model of which is known what only running it tells.
   *
   * @param model a folder in hub, onnxruntime-genai or Mobius layout, or one ONNX file
   * @param precision which files of a hub-layout folder, such as {@code q4}; empty for the most
   *     exact
   * @param visualTokens visual tokens that an image becomes
   * @return what was found
   * @throws ModelException if there is no model or one of its files is broken
   */
  public static ModelReport inspect(Path model, String precision, OptionalInt visualTokens) {
    return new ModelInspector(visualTokens).report(model, ModelFiles.find(model, precision));
  }

  private ModelReport report(Path model, ModelFiles files) {
    files.decoder().ifPresent(this::readDecoderOrTower);
    files.vision().ifPresent(file -> readTower(OnnxGraph.read(file)));
    files.embedding().ifPresent(file -> list("embedding", OnnxGraph.read(file)));
    Optional<ModelConfig> config = config(files);
    DeclaredSizes sizes = DeclaredSizes.of(files);
    Map<String, Optional<String>> strategies = new LinkedHashMap<>();
    Optional<String> note = Optional.empty();
    if (decoder.isPresent() && vision.isPresent()) {
      String name = String.valueOf(model.toAbsolutePath().normalize().getFileName());
      ModelShape facts =
          config
              .map(c -> VisionLanguageModel.facts(name, c, decoder.get(), vision.get()))
              .orElseGet(() -> graphFacts(name));
      for (StrategyType<?> provider : Strategies.available()) {
        strategies.put(provider.name(), refusal(provider.name(), facts));
      }
    } else {
      note = Optional.of("strategies were not tried: that takes a decoder and a vision tower");
    }
    return new ModelReport(
        files.layout(),
        sizes.family(),
        visualTokens(config),
        List.copyOf(graphs),
        decoder.map(found -> describe(found, sizes)),
        vision.map(ModelInspector::describe),
        strategies,
        note);
  }

  /** Empty without a config.json and for families whose config lacks sizes of a square tower. */
  private Optional<ModelConfig> config(ModelFiles files) {
    try {
      return files
          .config()
          .map(file -> ConfigReader.read(file.toAbsolutePath().getParent(), decoder, vision))
          .map(read -> counted.isPresent() ? read.withVisualTokens(counted.getAsInt()) : read);
    } catch (ModelException e) {
      return Optional.empty();
    }
  }

  /** Empty where only running the tower tells. */
  private Optional<Integer> visualTokens(Optional<ModelConfig> config) {
    if (counted.isPresent()) {
      return Optional.of(counted.getAsInt());
    }
    int grid = config.map(c -> c.vision().imageSize() / c.vision().patchSize()).orElse(0);
    OptionalInt tokens =
        vision.map(tower -> tower.sizes().tokens(grid * grid)).orElse(OptionalInt.empty());
    return tokens.isPresent() && (grid > 0 || vision.get().sizes().declaredTokens() > 0)
        ? Optional.of(tokens.getAsInt())
        : Optional.empty();
  }

  /** What the graphs alone tell: enough to plan a strategy, not to count its FLOPs. */
  private ModelShape graphFacts(String name) {
    int hidden = known(decoder.orElseThrow().hidden()).orElse(1);
    int kvHeads = known(decoder.orElseThrow().kvHeads()).orElse(1);
    int width = known(decoder.orElseThrow().headDim()).orElse(1);
    VisionGraph tower = vision.orElseThrow();
    return new ModelShape(
        name,
        DecoderShape.builder().layers(decoder.orElseThrow().layers()).hidden(hidden).heads(kvHeads).kvHeads(kvHeads).headDim(width).intermediate(1).vocabulary(1).build(),
        VisionShape.builder().layers(Math.max(1, tower.layers())).hidden(1).heads(1).intermediate(1).grid(1, 1).patchDim(1).cls(tower.hasCls()).projectorHidden(1).build(),
        1);
  }

  private void list(String role, OnnxGraph graph) {
    Path file = graph.file();
    try {
      graphs.add(new ModelReport.GraphFile(role, file, Files.size(file), GraphSummary.of(graph)));
    } catch (IOException e) {
      throw new ModelException("cannot read %s: %s".formatted(file, FileFailure.reason(e)), e);
    }
  }

  private void readTower(OnnxGraph graph) {
    list("vision", graph);
    vision = Optional.of(new VisionGraph(graph));
  }

  private void readDecoderOrTower(Path file) {
    OnnxGraph graph = OnnxGraph.read(file);
    if (graph.hasInput(VisionGraph.PIXELS)) {
      readTower(graph);
    } else {
      list("decoder", graph);
      decoder = Optional.of(new DecoderGraph(graph));
    }
  }

  private static ModelReport.Decoder describe(DecoderGraph decoder, DeclaredSizes sizes) {
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
            decoder,
            new SegmentSpec(
                layer, layer + 1, layer > 0 ? Seam.GATHER : Seam.NONE, false, List.of()));
      } catch (ModelException e) {
        uncuttable.put(layer, e.getMessage());
      }
    }
    return new ModelReport.Decoder(
        decoder.layers(),
        known(decoder.heads()).or(sizes::heads),
        known(decoder.kvHeads()).or(sizes::kvHeads),
        known(decoder.hidden()).or(sizes::hidden),
        known(decoder.headDim()).or(sizes::headDim),
        known(decoder.vocabulary()).or(sizes::vocabulary),
        attention,
        decoder.positions(),
        uncuttable,
        untappable);
  }

  private static Optional<Integer> known(long size) {
    return size > 0 && size <= Integer.MAX_VALUE ? Optional.of((int) size) : Optional.empty();
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
  private Optional<String> refusal(String spec, ModelShape facts) {
    try {
      Strategy strategy = Strategies.parse(spec);
      PruningPlan plan = PruningPlan.of(strategy, facts, decoder.orElseThrow().positions());
      return plan.segments().stream()
          .map(part -> refusals.computeIfAbsent(part, this::refusal))
          .flatMap(Optional::stream)
          .findFirst()
          .or(() -> tapRefusals.computeIfAbsent(plan.visionTaps(), this::refusal));
    } catch (SquintException e) {
      return Optional.of(e.getMessage());
    }
  }

  private Optional<String> refusal(SegmentSpec part) {
    return refusal(() -> SegmentExtractor.extract(decoder.orElseThrow(), part));
  }

  private Optional<String> refusal(List<Expression> taps) {
    return refusal(() -> vision.orElseThrow().withTaps(taps));
  }

  private static Optional<String> refusal(Runnable cut) {
    try {
      cut.run();
      return Optional.empty();
    } catch (ModelException e) {
      return Optional.of(e.getMessage());
    }
  }
}
