package dev.squint.onnx.internal.inspect;

import dev.squint.error.ModelException;
import dev.squint.onnx.config.ModelConfig;
import dev.squint.onnx.config.ModelFiles;
import dev.squint.onnx.internal.config.ConfigReader;
import dev.squint.onnx.internal.config.DeclaredSizes;
import dev.squint.onnx.internal.config.MissingParts;
import dev.squint.onnx.internal.config.TowerConfig;
import dev.squint.onnx.internal.decoder.DecoderGraph;
import dev.squint.onnx.internal.decoder.DecoderPair;
import dev.squint.onnx.internal.decoder.Seam;
import dev.squint.onnx.internal.decoder.SegmentExtractor;
import dev.squint.onnx.internal.decoder.SegmentSpec;
import dev.squint.onnx.internal.graph.OnnxGraph;
import dev.squint.onnx.internal.io.FileFailure;
import dev.squint.onnx.internal.io.ModelJson;
import dev.squint.onnx.internal.vision.VisionGraph;
import dev.squint.onnx.report.ModelReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.stream.IntStream;

/** The graphs of a model. */
public final class ModelGraphs {

  private final Path model;
  private final ModelFiles files;
  private final OptionalInt counted;
  private final List<ModelReport.GraphFile> listed = new ArrayList<>();
  private final Optional<ModelJson> root;
  private final Optional<ModelConfig> config;
  private final DeclaredSizes sizes;
  private Optional<DecoderGraph> decoder = Optional.empty();
  private Optional<VisionGraph> vision = Optional.empty();

  private ModelGraphs(Path model, ModelFiles files, OptionalInt counted) {
    this.model = model;
    this.files = files;
    this.counted = counted;
    files.decoder().ifPresent(this::readDecoderOrTower);
    files.vision().ifPresent(file -> readTower(OnnxGraph.read(file)));
    files.embedding().ifPresent(file -> list("embedding", OnnxGraph.read(file)));
    root = readRoot();
    config = root.flatMap(this::readConfig);
    vision = vision.map(this::known);
    sizes = DeclaredSizes.of(files);
  }

  /**
   * Reads them.
   *
   * @param model a folder in hub, onnxruntime-genai or Mobius layout, or one ONNX file
   * @param precision which files of a hub-layout folder; empty for the most exact
   * @param visualTokens visual tokens that an image becomes, if more is known than files tell
   * @throws ModelException if there is no model or one of its files is broken
   */
  public static ModelGraphs read(Path model, String precision, OptionalInt visualTokens) {
    return new ModelGraphs(model, ModelFiles.find(model, precision), visualTokens);
  }

  public String name() {
    return String.valueOf(model.toAbsolutePath().normalize().getFileName());
  }

  public Optional<DecoderGraph> decoder() {
    return decoder;
  }

  public Optional<VisionGraph> vision() {
    return vision;
  }

  /** Empty without a config.json and for families whose config lacks sizes of a square tower. */
  public Optional<ModelConfig> config() {
    return config;
  }

  /** What was found in them. */
  public ModelReport report() {
    return new ModelReport(
        files.layout(),
        sizes.family(),
        visualTokens(),
        List.copyOf(listed),
        decoder.map(found -> describe(found, sizes)),
        vision.map(ModelGraphs::describe),
        lacks());
  }

  private List<String> lacks() {
    return root.isPresent() && decoder.isPresent() && vision.isPresent()
        ? MissingParts.of(root.get(), decoder.get(), vision.get())
        : List.of();
  }

  private VisionGraph known(VisionGraph tower) {
    if (root.isPresent() && config.isPresent() && decoder.isPresent()) {
      try {
        return TowerConfig.applied(tower, root.get(), config.get(), decoder.get());
      } catch (ModelException e) {
        // Loading says so; the tower is described all the same.
        return TowerConfig.applied(tower, root.get());
      }
    }
    return root.map(json -> TowerConfig.applied(tower, json)).orElse(tower);
  }

  /** Empty where there is no config, or none that can be read. */
  private Optional<ModelJson> readRoot() {
    try {
      return folder().map(ConfigReader::root);
    } catch (ModelException e) {
      return Optional.empty();
    }
  }

  private Optional<Path> folder() {
    return files.config().or(files::genaiConfig).map(file -> file.toAbsolutePath().getParent());
  }

  private Optional<ModelConfig> readConfig(ModelJson json) {
    try {
      return folder()
          .map(found -> ConfigReader.read(json, found, decoder, vision))
          .map(read -> counted.isPresent() ? read.withVisualTokens(counted.getAsInt()) : read);
    } catch (ModelException e) {
      return Optional.empty();
    }
  }

  /** Empty where only running the tower tells. */
  private Optional<Integer> visualTokens() {
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

  private void list(String role, OnnxGraph graph) {
    Path file = graph.file();
    try {
      listed.add(new ModelReport.GraphFile(role, file, Files.size(file), GraphOrigin.of(graph)));
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
      DecoderPair pair = DecoderPair.beside(graph);
      pair.graphs().forEach(one -> list("decoder", one));
      decoder = Optional.of(pair.decoder());
    }
  }

  private static ModelReport.Decoder describe(DecoderGraph decoder, DeclaredSizes sizes) {
    Map<Integer, String> attention = new TreeMap<>();
    Map<Integer, String> unsplittable = new TreeMap<>();
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
        unsplittable.put(layer, e.getMessage());
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
        unsplittable,
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
}
