package dev.squint.onnx.internal.graph;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.squint.error.ModelException;
import dev.squint.onnx.internal.io.LfsPointer;
import dev.squint.onnx.internal.io.Printable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Where the weights of a graph lie outside of its message. They may lie in the folder of the graph
 * or below it, nowhere else, links followed: a file from a stranger must not make us read others.
 *
 * <p>Download caches keep a folder of links to files elsewhere, side by side. If the graph itself
 * is such a link, its folder is the one of the file it leads to.
 */
public final class ExternalData {

  public static final String LOCATION = "location";
  public static final String OFFSET = "offset";
  public static final String LENGTH = "length";

  /**
   * A range of a data file.
   *
   * @param file the data file, links followed
   * @param offset where it begins, bytes
   * @param length how long it is, bytes; -1 if the graph does not say
   * @param available bytes from there to the end of the file
   */
  record Range(Path file, long offset, long length, long available) {}

  private record DataFile(Path path, long size) {}

  private final Path graph;
  private final Path graphFolder;
  private final Path realFolder;
  private final Path home;
  private final Map<String, DataFile> files = new HashMap<>();

  /**
   * @param graph the file of the graph
   */
  ExternalData(Path graph) {
    this.graph = graph;
    this.graphFolder = graph.toAbsolutePath().getParent();
    try {
      this.realFolder = graphFolder.toRealPath();
      this.home = graph.toRealPath().getParent();
    } catch (IOException e) {
      throw new ModelException("cannot read " + graph + ": " + e.getMessage(), e);
    }
  }

  /**
   * The folder that locations are relative to, once all weights are located.
   *
   * @throws ModelException if they lie in two folders that have nothing to do with each other
   */
  Path folder() {
    if (moves()) {
      return home;
    }
    if (!allIn(realFolder)) {
      throw new ModelException(
          "%s is a link to another folder, but only some of its data files are; put the files themselves into one folder"
              .formatted(graph));
    }
    return graphFolder;
  }

  /** The files in which weights were located, links followed, in the order of their paths. */
  List<Path> dataFiles() {
    return files.values().stream().map(DataFile::path).distinct().sorted().toList();
  }

  private boolean moves() {
    return !home.equals(realFolder) && allIn(home);
  }

  private boolean allIn(Path parent) {
    return files.values().stream().allMatch(file -> file.path().startsWith(parent));
  }

  /** The graph with the locations of its weights relative to {@link #folder}. */
  GraphProto placed(GraphProto graph) {
    if (!moves()) {
      return graph;
    }
    GraphProto.Builder placed = graph.toBuilder();
    placed.getInitializerBuilderList().forEach(this::place);
    return placed.build();
  }

  private void place(TensorProto.Builder weight) {
    for (StringStringEntryProto.Builder entry : weight.getExternalDataBuilderList()) {
      if (entry.getKey().equals(LOCATION)) {
        Path file = files.get(entry.getValue()).path();
        entry.setValue(home.relativize(file).toString().replace('\\', '/'));
      }
    }
  }

  /** The locations that the weights of a graph name, in alphabetical order. */
  public static Set<String> locations(GraphProto graph) {
    Set<String> locations = new TreeSet<>();
    for (TensorProto weight : graph.getInitializerList()) {
      if (weight.getDataLocation() == TensorProto.DataLocation.EXTERNAL) {
        locations.add(entry(weight, LOCATION));
      }
    }
    return locations;
  }

  /** The value of an entry of a weight's external data, empty if it has none. */
  public static String entry(TensorProto weight, String key) {
    String value = "";
    for (StringStringEntryProto entry : weight.getExternalDataList()) {
      if (entry.getKey().equals(key)) {
        value = entry.getValue();
      }
    }
    return value;
  }

  /**
   * Finds the data of a weight.
   *
   * @param weight a tensor with external data
   * @return where it lies
   * @throws ModelException if it lies outside the folder, is missing or ends beyond its file
   */
  Range locate(TensorProto weight) {
    String location = entry(weight, LOCATION);
    DataFile file = files.get(location);
    if (file == null) {
      file = find(weight, location);
      files.put(location, file);
    }
    long offset = number(weight, OFFSET, 0);
    long length = number(weight, LENGTH, -1);
    long available = file.size() - offset;
    if (available < 0 || length > available) {
      throw new ModelException(
          "%s: weight '%s' reads %s bytes from byte %d of '%s', which has only %d; the data file is cut off or of another export, download it again"
              .formatted(
                  graph,
                  Printable.of(weight.getName()),
                  length < 0 ? "all" : length,
                  offset,
                  Printable.of(location),
                  file.size()));
    }
    return new Range(file.path(), offset, length, available);
  }

  private long number(TensorProto weight, String key, long otherwise) {
    String text = entry(weight, key);
    if (text.isEmpty()) {
      return otherwise;
    }
    try {
      long value = Long.parseLong(text);
      if (value >= 0) {
        return value;
      }
    } catch (NumberFormatException e) {
      throw noNumber(weight, key, text);
    }
    throw noNumber(weight, key, text);
  }

  private ModelException noNumber(TensorProto weight, String key, String text) {
    return new ModelException(
        "%s: weight '%s' gives '%s' as the %s of its external data, which is no number of bytes; the file is damaged, export it again"
            .formatted(graph, Printable.of(weight.getName()), Printable.of(text), key));
  }

  private DataFile find(TensorProto weight, String location) {
    boolean escapes =
        location.isEmpty()
            || location.startsWith("/")
            || location.indexOf('\\') >= 0
            || location.indexOf('\0') >= 0
            || location.matches("[A-Za-z]:.*")
            || List.of(location.split("/")).contains("..");
    if (escapes) {
      throw elsewhere(weight, location);
    }
    Path real = real(weight, location);
    if (!real.startsWith(realFolder) && !real.startsWith(home)) {
      throw new ModelException(
          "%s: weight '%s' points to external data '%s', a link that leaves the folder of the graph; put the data file itself next to the graph"
              .formatted(graph, Printable.of(weight.getName()), Printable.of(location)));
    }
    try {
      long size = Files.size(real);
      if (LfsPointer.isOne(real, size)) {
        throw new ModelException(LfsPointer.sentence(real));
      }
      return new DataFile(real, size);
    } catch (IOException e) {
      throw new ModelException(
          "%s: the data file '%s' cannot be read (%s)"
              .formatted(graph, Printable.of(location), e.getMessage()),
          e);
    }
  }

  private Path real(TensorProto weight, String location) {
    try {
      Path real = graphFolder.resolve(location).toRealPath();
      if (Files.isRegularFile(real)) {
        return real;
      }
    } catch (InvalidPathException e) {
      throw elsewhere(weight, location);
    } catch (IOException e) {
      throw missing(weight, location);
    }
    throw missing(weight, location);
  }

  private ModelException elsewhere(TensorProto weight, String location) {
    return new ModelException(
        "%s: weight '%s' points to external data '%s'; put the data file next to the graph and name it without '..'"
            .formatted(graph, Printable.of(weight.getName()), Printable.of(location)));
  }

  private ModelException missing(TensorProto weight, String location) {
    return new ModelException(
        "%s: weight '%s' lies in the data file '%s', which is missing; download it into the folder of the graph"
            .formatted(graph, Printable.of(weight.getName()), Printable.of(location)));
  }
}
