package dev.squint.models;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.squint.models.graph.Printable;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;

/**
 * The folder that a split is written to. It appears whole or not at all, and nothing is removed but
 * what splits have written.
 */
final class SplitFolder {

  static final String MANIFEST = "manifest.json";
  static final String FORMAT = "squint-segments";

  private static final String WORK = ".squint-part";
  private static final Pattern WORK_NAME =
      Pattern.compile("\\..+\\.\\p{XDigit}{8}(-\\p{XDigit}{4}){3}-\\p{XDigit}{12}" + WORK);
  private static final Duration ABANDONED = Duration.ofHours(1);

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
      throw new ModelException("%s cannot be read: %s".formatted(target, e), e);
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
      throw new ModelException("%s cannot be read: %s".formatted(target, e), e);
    }
  }

  /** Where a file is called so, if it is a link to elsewhere. */
  private static Path absolute(Path file) throws IOException {
    Path whole = file.toAbsolutePath();
    return whole.getParent().toRealPath().resolve(whole.getFileName());
  }

  private ModelException irreplaceable(String reason) {
    return new ModelException(
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
    Path file = target.resolve(MANIFEST);
    Set<Path> files = new HashSet<>();
    JsonNode manifest =
        Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
            ? parsed(file)
            : new ObjectMapper().nullNode();
    if (manifest.path("format").asText().equals(FORMAT)) {
      files.add(file);
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

  private static JsonNode parsed(Path file) throws IOException {
    try {
      return new ObjectMapper().readTree(file.toFile());
    } catch (JacksonException e) {
      return new ObjectMapper().nullNode();
    }
  }

  /** Writes a new folder; where there is one already, it stays and this fails. */
  void create(Content content) throws IOException {
    place(content, work -> Files.move(work, target, StandardCopyOption.ATOMIC_MOVE));
  }

  /** Writes the folder unless another process has been faster with the same split. */
  void createOnce(Content content) throws IOException {
    place(
        content,
        work -> {
          try {
            Files.move(work, target, StandardCopyOption.ATOMIC_MOVE);
          } catch (IOException e) {
            if (!Files.exists(target.resolve(MANIFEST))) {
              throw e;
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
          Path old = beside();
          Files.move(target, old, StandardCopyOption.ATOMIC_MOVE);
          try {
            Files.move(work, target, StandardCopyOption.ATOMIC_MOVE);
          } catch (IOException e) {
            Files.move(old, target, StandardCopyOption.ATOMIC_MOVE);
            throw e;
          }
          FolderTree.delete(old);
        });
  }

  private void place(Content content, Content move) throws IOException {
    Files.createDirectories(target.getParent());
    removeAbandoned();
    Path work = Files.createDirectory(beside());
    try {
      content.write(work);
      move.write(work);
    } finally {
      FolderTree.delete(work);
    }
  }

  private Path beside() {
    return target.resolveSibling("." + target.getFileName() + "." + UUID.randomUUID() + WORK);
  }

  /** Removes what splits left behind that were killed. */
  private void removeAbandoned() throws IOException {
    FileTime limit = FileTime.from(Instant.now().minus(ABANDONED));
    try (DirectoryStream<Path> left =
        Files.newDirectoryStream(target.getParent(), SplitFolder::isWork)) {
      for (Path work : left) {
        if (Files.getLastModifiedTime(work).compareTo(limit) < 0) {
          FolderTree.delete(work);
        }
      }
    }
  }

  private static boolean isWork(Path path) {
    return WORK_NAME.matcher(path.getFileName().toString()).matches()
        && Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS);
  }
}
