package dev.squint.models;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * A model folder packed into the jar. ONNX Runtime wants files, so it is unpacked once into a
 * folder named after its content. Unpacking happens beside that folder and ends in one rename, so
 * that two processes that start together, or one that is killed, leave either a whole folder or
 * none.
 */
final class EmbeddedModel {

  private static final int HASH_LETTERS = 12;

  private record Entry(String path, long bytes, String sha256) {}

  private final String name;
  private final String root;
  private final List<Entry> entries = new ArrayList<>();
  private final String hash;

  /**
   * @param name folder below this package that holds {@code files.json} and the files it lists
   */
  EmbeddedModel(String name) {
    this.name = name;
    this.root = name + "/";
    byte[] index = readIndex();
    this.hash = sha256(index).substring(0, HASH_LETTERS);
    try {
      for (JsonNode entry : new ObjectMapper().readTree(index)) {
        entries.add(
            new Entry(
                entry.path("path").asText(),
                entry.path("bytes").asLong(),
                entry.path("sha256").asText()));
      }
    } catch (IOException e) {
      throw new ModelException(
          "the index of the embedded model '%s' is damaged; get the jar again".formatted(name), e);
    }
  }

  private byte[] readIndex() {
    try (InputStream stream = EmbeddedModel.class.getResourceAsStream(root + "files.json")) {
      if (stream == null) {
        throw new ModelException(
            "this build does not contain the embedded model '%s'; open a model folder instead"
                .formatted(name));
      }
      return stream.readAllBytes();
    } catch (IOException e) {
      throw new ModelException(
          "the embedded model '%s' cannot be read; get the jar again".formatted(name), e);
    }
  }

  /**
   * Makes sure that the model lies unpacked in a cache.
   *
   * @param cache the cache folder, created if needed
   * @return the model folder
   */
  Path unpack(Path cache) {
    Path models = cache.resolve("models");
    Path target = models.resolve(name + "-" + hash);
    if (isWhole(target)) {
      return target;
    }
    try {
      Files.createDirectories(models);
      Path work = Files.createTempDirectory(models, name + "-" + hash + ".unpacking-");
      try {
        for (Entry entry : entries) {
          copy(entry, work);
        }
        moveInPlace(work, target);
      } finally {
        FolderTree.delete(work);
      }
      return target;
    } catch (IOException | UncheckedIOException e) {
      throw new ModelException(
          "the embedded model '%s' cannot be unpacked to %s (%s); choose another cache folder with -Dsquint.cache=FOLDER"
              .formatted(name, models, e.getMessage()),
          e);
    }
  }

  private boolean isWhole(Path folder) {
    for (Entry entry : entries) {
      Path file = folder.resolve(entry.path());
      try {
        if (Files.size(file) != entry.bytes()) {
          return false;
        }
      } catch (IOException e) {
        return false;
      }
    }
    return true;
  }

  private void copy(Entry entry, Path folder) throws IOException {
    Path file = folder.resolve(entry.path());
    try (InputStream stream = EmbeddedModel.class.getResourceAsStream(root + entry.path())) {
      if (stream == null) {
        throw new ModelException(
            "the embedded model '%s' lacks %s; get the jar again".formatted(name, entry.path()));
      }
      byte[] content = stream.readAllBytes();
      if (!sha256(content).equals(entry.sha256())) {
        throw new ModelException(
            "%s of the embedded model '%s' is damaged; get the jar again"
                .formatted(entry.path(), name));
      }
      Files.createDirectories(file.getParent());
      Files.write(file, content);
    }
  }

  private void moveInPlace(Path work, Path target) throws IOException {
    try {
      Files.move(work, target, StandardCopyOption.ATOMIC_MOVE);
    } catch (AtomicMoveNotSupportedException e) {
      Files.move(work, target);
    } catch (FileSystemException e) {
      if (isWhole(target)) {
        return;
      }
      Path damaged =
          Files.createTempDirectory(target.getParent(), target.getFileName() + ".damaged-");
      Files.move(target, damaged, StandardCopyOption.REPLACE_EXISTING);
      FolderTree.delete(damaged);
      Files.move(work, target, StandardCopyOption.ATOMIC_MOVE);
    }
  }

  private static String sha256(byte[] content) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
