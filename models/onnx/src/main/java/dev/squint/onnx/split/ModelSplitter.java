package dev.squint.onnx.split;

import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import dev.squint.onnx.config.ModelFiles;
import dev.squint.onnx.internal.decoder.DecoderGraph;
import dev.squint.onnx.internal.decoder.Seam;
import dev.squint.onnx.internal.decoder.SegmentExtractor;
import dev.squint.onnx.internal.decoder.SegmentManifest;
import dev.squint.onnx.internal.decoder.SegmentModel;
import dev.squint.onnx.internal.decoder.SegmentSpec;
import dev.squint.onnx.internal.decoder.SplitKey;
import dev.squint.onnx.internal.decoder.WeightFile;
import dev.squint.onnx.internal.graph.OnnxGraph;
import dev.squint.onnx.internal.io.AtomicFiles;
import dev.squint.onnx.internal.io.FileFailure;
import dev.squint.onnx.internal.io.JsonFile;
import dev.squint.onnx.internal.io.Printable;
import dev.squint.onnx.internal.io.Sha256;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Place;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Writes a decoder in segments for programs that run them without this library: one ONNX file per
 * segment, the weights, and {@code manifest.json}. The folder appears whole or not at all.
 */
public final class ModelSplitter {

  private static final String WEIGHTS = "weights.data";

  private final Source source;
  private final List<SegmentModel> segments;
  private final SplitOptions options;

  private ModelSplitter(Source source, SplitOptions options) {
    this.source = source;
    this.segments =
        source.specs().stream()
            .map(spec -> SegmentExtractor.extract(source.decoder(), spec))
            .toList();
    this.options = options;
    if (!options.copyWeights()) {
      requireOtherNames();
    }
  }

  /** Refuses to link weights to where the split writes files of its own. */
  private void requireOtherNames() {
    for (String name : dataFiles()) {
      String place = Path.of(name).normalize().getName(0).toString();
      if (ownNames().anyMatch(place::equalsIgnoreCase)) {
        throw new ModelException(
            "the weights of %s lie in '%s', and a split writes a file of that name itself; have the weights copied (--copy) or rename their file"
                .formatted(source.graph().file(), Printable.of(name)));
      }
    }
  }

  private Stream<String> ownNames() {
    return Stream.concat(
        IntStream.range(0, segments.size()).mapToObj(ModelSplitter::segmentName),
        Stream.of(SplitFolder.MANIFEST));
  }

  private static String segmentName(int segment) {
    return "segment-%02d.onnx".formatted(segment);
  }

  /** Where the weights lie, relative to the folder of the decoder. */
  private Set<String> dataFiles() {
    Set<String> names = new TreeSet<>();
    segments.forEach(segment -> names.addAll(SegmentManifest.of(segment).dataFiles()));
    return names;
  }

  /**
   * Splits into a folder.
   *
   * @param model a model folder or its decoder's file
   * @param precision which files of a hub-layout folder; empty for the most exact
   * @param options how
   * @param folder where to; must not exist unless it may be replaced
   * @return the folder
   * @throws ModelException if the model cannot be read or split there, the folder not be written,
   *     or weights that are to be linked have a name that a split writes itself
   */
  public static Path split(Path model, String precision, SplitOptions options, Path folder) {
    Source source = Source.read(model, precision, options);
    ModelSplitter splitter = new ModelSplitter(source, options);
    SplitFolder target = new SplitFolder(folder);
    if (options.replace()) {
      return written(
          folder,
          () -> target.replace(splitter::write, () -> target.requireReplaceable(source.files())));
    }
    if (Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
      throw new ModelException(
          Kind.BAD_REQUEST,
          "%s exists; name another folder or say that it may be replaced".formatted(folder));
    }
    return written(folder, () -> target.create(splitter::write));
  }

  /**
   * Splits into a folder below a cache, named after the content of the model and the splits; what
   * is there already, whole, is not written again. Any number of processes may do so at once.
   *
   * @param cache the cache folder, created if needed
   * @return the folder, {@code segments/HASH} below the cache
   * @throws ModelException as {@link #split} does, and if a Squint whose manifest has another
   *     version wrote what is there, unless it may be replaced
   */
  public static Path splitCached(Path model, String precision, SplitOptions options, Path cache) {
    Source source = Source.read(model, precision, options);
    String name = SplitKey.of(source.graph(), source.specs()).hash();
    Path folder = cache.resolve("segments").resolve(options.copyWeights() ? name + "-copy" : name);
    SplitFolder target = new SplitFolder(folder);
    if (!options.replace()) {
      target.requireKnownVersion();
      if (target.isWhole()) {
        return folder;
      }
    }
    ModelSplitter splitter = new ModelSplitter(source, options);
    Runnable apart = () -> target.requireApart(source.files());
    Runnable unknown =
        () -> {
          target.requireKnownVersion();
          apart.run();
        };
    return options.replace()
        ? written(folder, () -> target.replace(splitter::write, apart))
        : written(folder, () -> target.createOnce(splitter::write, unknown));
  }

  @FunctionalInterface
  private interface Writing {
    void run() throws IOException;
  }

  private static Path written(Path folder, Writing writing) {
    try {
      writing.run();
      return folder;
    } catch (IOException e) {
      throw new ModelException(
          Kind.BAD_REQUEST,
          "%s cannot be written (%s); choose a folder that can be"
              .formatted(folder, FileFailure.reason(e)),
          e);
    }
  }

  /** A decoder and where it is split. */
  private record Source(OnnxGraph graph, DecoderGraph decoder, List<SegmentSpec> specs) {

    /** Graph and weights. */
    List<Path> files() {
      return Stream.concat(Stream.of(graph.file()), graph.dataFiles().stream()).toList();
    }

    static Source read(Path model, String precision, SplitOptions options) {
      Path file =
          ModelFiles.find(model, precision)
              .decoder()
              .orElseThrow(() -> new ModelException(model + " has no decoder to split"));
      OnnxGraph graph = OnnxGraph.read(file);
      DecoderGraph decoder = new DecoderGraph(graph);
      if (decoder.tokensAtOnce() == 1) {
        throw new ModelException(
            "%s takes one token at a time, so that its segments would run no prompt; export the decoder in one file to split it"
                .formatted(file));
      }
      return new Source(graph, decoder, segments(decoder.layers(), options));
    }
  }

  private static List<SegmentSpec> segments(int layers, SplitOptions options) {
    TreeSet<Integer> edges = new TreeSet<>(options.splits());
    for (int layer : edges) {
      if (layer < 1 || layer >= layers) {
        throw new ModelException(
            Kind.BAD_REQUEST,
            "a split before layer %d is asked for, but the decoder has %d layers; choose 1..%d"
                .formatted(layer, layers, layers - 1));
      }
    }
    options.taps().forEach(tap -> checkTap(tap, layers));
    edges.add(layers);
    List<SegmentSpec> specs = new ArrayList<>();
    int from = 0;
    for (int to : edges) {
      int first = from;
      List<Expression> taps =
          options.taps().stream().filter(tap -> isWithin(tap, first, to)).toList();
      specs.add(
          new SegmentSpec(
              from,
              to,
              from > 0 ? Seam.GATHER : Seam.NONE,
              from > 0 && options.givenPositions(),
              taps));
      from = to;
    }
    for (Expression tap : options.taps()) {
      if (specs.stream().noneMatch(spec -> isWithin(tap, spec.from(), spec.to()))) {
        throw new ModelException(
            "the tap %s looks at layers of several segments; split elsewhere or tap each layer"
                .formatted(tap));
      }
    }
    return specs;
  }

  private static void checkTap(Expression tap, int layers) {
    tap.leaves()
        .forEach(
            leaf -> {
              int layer = leaf.place().layer();
              if (leaf.place().kind() != Place.Kind.DECODER) {
                throw new ModelException(
                    Kind.BAD_REQUEST,
                    "a tap looks at layers of the decoder, but %s is none of their tensors"
                        .formatted(leaf));
              }
              if (layer >= layers) {
                throw new ModelException(
                    Kind.BAD_REQUEST,
                    "a tap in layer %d is asked for, but the decoder has layers 0..%d"
                        .formatted(layer, layers - 1));
              }
            });
  }

  private static boolean isWithin(Expression tap, int from, int to) {
    return tap.leaves().allMatch(leaf -> leaf.place().layer() >= from && leaf.place().layer() < to);
  }

  private void write(Path work) throws IOException {
    List<SegmentModel> placed =
        options.copyWeights() || !linked(work)
            ? WeightFile.copy(segments, work.resolve(WEIGHTS))
            : segments;
    List<Map<String, Object>> described = new ArrayList<>();
    Set<String> data = new TreeSet<>();
    for (int i = 0; i < placed.size(); i++) {
      String name = segmentName(i);
      byte[] bytes = placed.get(i).bytes();
      AtomicFiles.create(work.resolve(name), bytes);
      SegmentManifest manifest = SegmentManifest.of(placed.get(i));
      Map<String, Object> fields = manifest.fields(name);
      fields.put("bytes", bytes.length);
      fields.put("sha256", Sha256.of(bytes));
      described.add(fields);
      data.addAll(manifest.dataFiles());
    }
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("format", SplitFolder.FORMAT);
    root.put("version", SplitFolder.VERSION);
    root.put(
        "source",
        Map.of(
            "file", source.graph().file().getFileName().toString(),
            "bytes", Files.size(source.graph().file()),
            "sha256", Sha256.of(source.graph().file())));
    root.put("weights", data);
    List<Map<String, Object>> weightFiles = new ArrayList<>();
    for (String name : data) {
      Path file = work.resolve(name);
      weightFiles.add(
          Map.of("file", name, "bytes", Files.size(file), "changed", SplitFolder.changed(file)));
    }
    root.put("weightFiles", weightFiles);
    root.put("segments", described);
    AtomicFiles.create(work.resolve(SplitFolder.MANIFEST), JsonFile.pretty(root));
  }

  /** Links the files that hold the weights; false if they lie deeper or links are not possible. */
  private boolean linked(Path work) throws IOException {
    Path folder = segments.get(0).folder();
    List<Path> links = new ArrayList<>();
    try {
      for (String name : dataFiles()) {
        Path link = work.resolve(name);
        Files.createDirectories(link.getParent());
        Files.createLink(link, folder.resolve(name).toRealPath());
        links.add(link);
      }
      return true;
    } catch (IOException | UnsupportedOperationException e) {
      for (Path link : links) {
        Files.delete(link);
      }
      return false;
    }
  }
}
