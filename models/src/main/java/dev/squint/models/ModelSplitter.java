package dev.squint.models;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.squint.models.graph.DecoderGraph;
import dev.squint.models.graph.OnnxGraph;
import dev.squint.models.graph.SegmentExtractor;
import dev.squint.models.graph.SegmentManifest;
import dev.squint.models.graph.SegmentModel;
import dev.squint.models.graph.SegmentSpec;
import dev.squint.models.graph.Tap;
import dev.squint.models.graph.WeightFile;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * Writes a decoder in segments for programs that run them without this library: one ONNX file per
 * segment, the weights, and {@code manifest.json}. The folder appears whole or not at all.
 */
public final class ModelSplitter {

  private static final String WEIGHTS = "weights.data";

  private ModelSplitter() {}

  /**
   * How to split.
   *
   * @param cuts layers before which the decoder is cut; at each begins a segment with a seam
   * @param taps what is handed out besides, each by the segment that runs its layer
   * @param givenPositions whether segments behind a cut take rotary positions from outside even if
   *     the file counts them by itself
   * @param copyWeights whether weights are copied; else the files that hold them are hard-linked
   * @param replace whether an existing folder is replaced
   */
  public record Options(
      Set<Integer> cuts,
      List<Tap> taps,
      boolean givenPositions,
      boolean copyWeights,
      boolean replace) {

    /** Copies the lists. */
    public Options {
      cuts = Set.copyOf(cuts);
      taps = List.copyOf(taps);
    }
  }

  /**
   * Splits.
   *
   * @param model a model folder or its decoder's file
   * @param precision which files of a hub-layout folder; empty for the most exact
   * @param options how
   * @param folder where to; must not exist unless it may be replaced
   * @return the names of the files written
   * @throws ModelException if the model cannot be read or cut there, or the folder not be written
   */
  public static List<String> split(Path model, String precision, Options options, Path folder) {
    Path file =
        ModelFiles.find(model, precision)
            .decoder()
            .orElseThrow(() -> new ModelException(model + " has no decoder to split"));
    OnnxGraph graph = OnnxGraph.read(file);
    DecoderGraph decoder = new DecoderGraph(graph);
    if (Files.exists(folder) && !options.replace()) {
      throw new ModelException(
          "%s exists; name another folder or say that it may be replaced".formatted(folder));
    }
    List<SegmentModel> segments =
        specs(decoder.layers(), options).stream()
            .map(spec -> SegmentExtractor.extract(decoder, spec))
            .toList();
    Path target = folder.toAbsolutePath().normalize();
    Path work = null;
    try {
      Files.createDirectories(target.getParent());
      work = Files.createDirectory(beside(target));
      List<String> written = write(file, segments, options, work);
      if (options.replace() && Files.exists(target)) {
        Path old = beside(target);
        Files.move(target, old, StandardCopyOption.ATOMIC_MOVE);
        Files.move(work, target, StandardCopyOption.ATOMIC_MOVE);
        delete(old);
      } else {
        Files.move(work, target, StandardCopyOption.ATOMIC_MOVE);
      }
      return written;
    } catch (IOException e) {
      throw new ModelException(
          "%s cannot be written (%s); choose a folder that can be".formatted(folder, e), e);
    } finally {
      delete(work);
    }
  }

  private static Path beside(Path target) {
    return target.resolveSibling("." + target.getFileName() + "." + UUID.randomUUID());
  }

  private static List<SegmentSpec> specs(int layers, Options options) {
    TreeSet<Integer> edges = new TreeSet<>(options.cuts());
    for (int cut : edges) {
      if (cut < 1 || cut >= layers) {
        throw new ModelException(
            "a cut before layer %d is asked for, but the decoder has %d layers; choose 1..%d"
                .formatted(cut, layers, layers - 1));
      }
    }
    for (Tap tap : options.taps()) {
      if (tap.layer() < 0 || tap.layer() >= layers) {
        throw new ModelException(
            "a tap in layer %d is asked for, but the decoder has layers 0..%d"
                .formatted(tap.layer(), layers - 1));
      }
    }
    edges.add(layers);
    List<SegmentSpec> specs = new ArrayList<>();
    int from = 0;
    for (int to : edges) {
      int first = from;
      List<Tap> taps =
          options.taps().stream().filter(t -> t.layer() >= first && t.layer() < to).toList();
      specs.add(new SegmentSpec(from, to, from > 0, from > 0 && options.givenPositions(), taps));
      from = to;
    }
    return specs;
  }

  private static List<String> write(
      Path source, List<SegmentModel> segments, Options options, Path work) throws IOException {
    List<SegmentModel> placed =
        options.copyWeights() || !linked(segments, work)
            ? WeightFile.copy(segments, work.resolve(WEIGHTS))
            : segments;
    List<Map<String, Object>> described = new ArrayList<>();
    Set<String> data = new TreeSet<>();
    for (int i = 0; i < placed.size(); i++) {
      String name = "segment-%02d.onnx".formatted(i);
      Files.write(work.resolve(name), placed.get(i).bytes());
      SegmentManifest manifest = SegmentManifest.of(placed.get(i));
      described.add(manifest.fields(name));
      data.addAll(manifest.dataFiles());
    }
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("format", "squint-segments");
    root.put("version", 1);
    root.put(
        "source",
        Map.of(
            "file", source.getFileName().toString(),
            "bytes", Files.size(source),
            "sha256", sha256(source)));
    root.put("weights", data);
    root.put("segments", described);
    new ObjectMapper()
        .writerWithDefaultPrettyPrinter()
        .writeValue(work.resolve("manifest.json").toFile(), root);
    try (Stream<Path> files = Files.list(work)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  /** Links the files that hold the weights; false if they lie deeper or links are not possible. */
  private static boolean linked(List<SegmentModel> segments, Path work) throws IOException {
    Set<String> names = new TreeSet<>();
    segments.forEach(segment -> names.addAll(SegmentManifest.of(segment).dataFiles()));
    Path folder = segments.get(0).folder();
    List<Path> links = new ArrayList<>();
    try {
      for (String name : names) {
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

  private static String sha256(Path file) throws IOException {
    try (InputStream stream = Files.newInputStream(file);
        DigestInputStream digest =
            new DigestInputStream(stream, MessageDigest.getInstance("SHA-256"))) {
      digest.transferTo(OutputStream.nullOutputStream());
      return HexFormat.of().formatHex(digest.getMessageDigest().digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  private static void delete(Path folder) {
    if (folder == null || !Files.exists(folder)) {
      return;
    }
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    } catch (IOException e) {
      throw new ModelException("%s cannot be removed: %s".formatted(folder, e.getMessage()), e);
    }
  }
}
