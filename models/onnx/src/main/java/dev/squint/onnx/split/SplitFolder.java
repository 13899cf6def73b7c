package dev.squint.onnx.split;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.NullNode;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import dev.squint.onnx.internal.io.AtomicFiles;
import dev.squint.onnx.internal.io.FileFailure;
import dev.squint.onnx.internal.io.JsonFile;
import dev.squint.onnx.internal.io.Printable;
import dev.squint.onnx.internal.io.Sha256;
import dev.squint.onnx.internal.io.WorkFolder;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The folder that a split is written to. It appears whole or not at all, and nothing is removed but
 * what splits have written.
 */
final class SplitFolder {

  static final String MANIFEST = "manifest.json";
  static final String FORMAT = "squint-segments";

  /** Of the manifest; raised where programs that read the one before would go wrong. */
  static final int VERSION = 2;

  private final Path target;

  SplitFolder(Path target) {
    this.target = target.toAbsolutePath().normalize();
  }

  /** Writes the files of a split. */
  @FunctionalInterface
  interface Content {
    void write(Path folder) throws IOException;
  }

  /**
   * Refuses a folder that must stay.
   *
   * @param source the files of the model, which must not go with the folder
   * @throws ModelException if it is no folder, has the model in it, or holds other files than a
   *     split has written
   */
  void requireReplaceable(List<Path> source) {
    requireApart(source);
    if (!Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    try {
      Optional<Path> foreign = foreign();
      if (foreign.isPresent()) {
        throw irreplaceable(
            "it holds %s, which no split has written"
                .formatted(Printable.of(target.relativize(foreign.get()).toString())));
      }
    } catch (IOException e) {
      throw new ModelException("%s cannot be read: %s".formatted(target, FileFailure.reason(e)), e);
    }
  }

  /**
   * Refuses what is no folder, and a folder with the model in it.
   *
   * @param source the files of the model
   */
  void requireApart(List<Path> source) {
    if (!Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    if (!Files.isDirectory(target, LinkOption.NOFOLLOW_LINKS)) {
      throw irreplaceable("it is no folder");
    }
    try {
      Path real = target.toRealPath();
      for (Path file : source) {
        if (file.toRealPath().startsWith(real) || absolute(file).startsWith(real)) {
          throw irreplaceable("the model lies in it");
        }
      }
    } catch (IOException e) {
      throw new ModelException("%s cannot be read: %s".formatted(target, FileFailure.reason(e)), e);
    }
  }

  /** Where a file is called so, if it is a link to elsewhere. */
  private static Path absolute(Path file) throws IOException {
    Path whole = file.toAbsolutePath();
    return whole.getParent().toRealPath().resolve(whole.getFileName());
  }

  private ModelException irreplaceable(String reason) {
    return new ModelException(
        Kind.BAD_REQUEST,
        "%s cannot be replaced: %s; choose another folder".formatted(target, reason));
  }

  /** A file in the folder that no split has written. */
  private Optional<Path> foreign() throws IOException {
    Set<Path> known = written();
    List<Path> found = new ArrayList<>(1);
    Files.walkFileTree(
        target,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            if (known.contains(file)) {
              return FileVisitResult.CONTINUE;
            }
            found.add(file);
            return FileVisitResult.TERMINATE;
          }
        });
    return found.stream().findFirst();
  }

  private Set<Path> written() throws IOException {
    Set<Path> files = new HashSet<>();
    JsonNode manifest = manifest();
    if (manifest.path("format").asText().equals(FORMAT)) {
      files.add(target.resolve(MANIFEST));
      manifest.path("weights").forEach(name -> inside(name.asText()).ifPresent(files::add));
      manifest
          .path("segments")
          .forEach(segment -> inside(segment.path("file").asText()).ifPresent(files::add));
    }
    return files;
  }

  /** The file in the folder that a manifest may mean; empty for a name that no split writes. */
  private Optional<Path> inside(String name) {
    try {
      Path path = target.getFileSystem().getPath(name);
      for (Path part : path) {
        if (part.toString().equals("..")) {
          return Optional.empty();
        }
      }
      Path file = target.resolve(path).normalize();
      return path.isAbsolute() || file.equals(target) ? Optional.empty() : Optional.of(file);
    } catch (InvalidPathException e) {
      return Optional.empty();
    }
  }

  /** The manifest; JSON's null where there is none that can be read. */
  private JsonNode manifest() throws IOException {
    Path file = target.resolve(MANIFEST);
    if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
      return NullNode.getInstance();
    }
    try {
      return JsonFile.tree(Files.readAllBytes(file));
    } catch (JacksonException e) {
      return NullNode.getInstance();
    }
  }

  /**
   * Refuses what a Squint with another manifest has written.
   *
   * @throws ModelException if a manifest of another version lies there
   */
  void requireKnownVersion() {
    try {
      JsonNode manifest = manifest();
      if (manifest.path("format").asText().equals(FORMAT)
          && manifest.path("version").asInt() != VERSION) {
        throw new ModelException(
            Kind.BAD_REQUEST,
            "%s holds a split whose manifest has version %s, and this Squint writes version %d; have it replaced (--force) or choose another folder"
                .formatted(target, manifest.path("version").asText("none"), VERSION));
      }
    } catch (IOException e) {
      throw new ModelException("%s cannot be read: %s".formatted(target, FileFailure.reason(e)), e);
    }
  }

  /** Whether all files that a split has written are there as it has written them. */
  boolean isWhole() {
    try {
      JsonNode manifest = manifest();
      return manifest.path("format").asText().equals(FORMAT)
          && manifest.path("version").asInt() == VERSION
          && all(manifest.path("segments"), this::isWholeSegment)
          && manifest.path("weightFiles").size() == manifest.path("weights").size()
          && all(manifest.path("weightFiles"), this::isWholeData);
    } catch (IOException e) {
      return false;
    }
  }

  @FunctionalInterface
  private interface Check {
    boolean holds(JsonNode entry) throws IOException;
  }

  private static boolean all(JsonNode entries, Check check) throws IOException {
    for (JsonNode entry : entries) {
      if (!check.holds(entry)) {
        return false;
      }
    }
    return entries.isArray();
  }

  private boolean isWholeSegment(JsonNode entry) throws IOException {
    Optional<Path> file = ofItsSize(entry);
    return file.isPresent() && Sha256.of(file.get()).equals(entry.path("sha256").asText());
  }

  /** By size and time: data may be many gigabytes. */
  private boolean isWholeData(JsonNode entry) throws IOException {
    Optional<Path> file = ofItsSize(entry);
    return file.isPresent() && changed(file.get()).equals(entry.path("changed").asText());
  }

  private Optional<Path> ofItsSize(JsonNode entry) throws IOException {
    Optional<Path> file = inside(entry.path("file").asText()).filter(Files::isRegularFile);
    return file.isPresent() && Files.size(file.get()) == entry.path("bytes").asLong(-1)
        ? file
        : Optional.empty();
  }

  static String changed(Path file) throws IOException {
    return Files.getLastModifiedTime(file).toString();
  }

  /** Writes a new folder; where there is one already, it stays and this fails. */
  void create(Content content) throws IOException {
    place(content, work -> AtomicFiles.move(work, target));
  }

  /**
   * Writes the folder unless another process has been faster with the same split; one that is not
   * whole is replaced.
   *
   * @param check throws if what is there must stay
   */
  void createOnce(Content content, Runnable check) throws IOException {
    place(
        content,
        work -> {
          try {
            AtomicFiles.move(work, target);
          } catch (IOException e) {
            if (!isWhole()) {
              check.run();
              AtomicFiles.exchange(work, target);
            }
          }
        });
  }

  /**
   * Writes the folder in the place of another, which comes back if that fails.
   *
   * @param check throws if the other must stay; asked last, since writing may take minutes
   */
  void replace(Content content, Runnable check) throws IOException {
    check.run();
    if (!Files.exists(target)) {
      create(content);
      return;
    }
    place(
        content,
        work -> {
          check.run();
          AtomicFiles.exchange(work, target);
        });
  }

  private void place(Content content, Content move) throws IOException {
    Files.createDirectories(target.getParent());
    try (WorkFolder work = WorkFolder.nextTo(target)) {
      content.write(work.path());
      AtomicFiles.forceNames(work.path());
      move.write(work.path());
    }
  }
}
