package dev.squint.models.graph;

import dev.squint.models.ModelException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Supplier;

/**
 * Segments as files, named after what they are made of: the graph, its data files and the cut. A
 * file is written under another name and then renamed, so that it is whole whenever it is there,
 * however many processes write it and whichever of them is killed.
 */
public final class SegmentCache {

  private static final Duration ABANDONED = Duration.ofHours(1);
  private static final String FILE = "segment.onnx";
  private static final String PART = ".part";

  /** Part of every key; to be raised whenever the same cut gives other segments than before. */
  private static final int FORMAT = 1;

  /**
   * What a segment is made of.
   *
   * @param hash 64 hexadecimal digits
   */
  public record Key(String hash) {

    /** Checks that the key can name a folder. */
    public Key {
      if (!hash.matches("[0-9a-f]{64}")) {
        throw new IllegalArgumentException("not a SHA-256: " + hash);
      }
    }

    /**
     * The keys of segments. The graph counts with all its bytes; a data file, which may be huge,
     * with name, size and time of its last change.
     *
     * @param graph the whole decoder
     * @param specs the cuts
     * @return a key for each cut
     * @throws ModelException if a data file is gone
     */
    public static List<Key> of(OnnxGraph graph, List<SegmentSpec> specs) {
      MessageDigest source = source(graph);
      return specs.stream()
          .map(
              spec -> {
                MessageDigest digest = copy(source);
                digest.update(spec.toString().getBytes(StandardCharsets.UTF_8));
                return new Key(HexFormat.of().formatHex(digest.digest()));
              })
          .toList();
    }

    private static MessageDigest source(OnnxGraph graph) {
      try {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        digest.update(graph.model().toByteArray());
        StringBuilder rest = new StringBuilder("\n%d\n".formatted(FORMAT));
        for (Path data : graph.dataFiles()) {
          rest.append(
              "%s\n%d\n%s\n"
                  .formatted(
                      data.getFileName(), Files.size(data), Files.getLastModifiedTime(data)));
        }
        digest.update(rest.toString().getBytes(StandardCharsets.UTF_8));
        return digest;
      } catch (IOException e) {
        throw new ModelException(
            "a data file of %s cannot be read any more: %s".formatted(graph.file(), e.getMessage()),
            e);
      } catch (NoSuchAlgorithmException e) {
        throw new IllegalStateException("every Java platform has SHA-256", e);
      }
    }

    private static MessageDigest copy(MessageDigest digest) {
      try {
        return (MessageDigest) digest.clone();
      } catch (CloneNotSupportedException e) {
        throw new IllegalStateException("Java's own SHA-256 can be cloned", e);
      }
    }
  }

  private final Path folder;

  /**
   * @param cache the cache folder, created if needed
   */
  public SegmentCache(Path cache) {
    this.folder = cache.resolve("segments");
  }

  /** Where a segment lies, or will lie. */
  public Path pathFor(Key key) {
    return folder.resolve(key.hash()).resolve(FILE);
  }

  /**
   * Reads a segment, or makes and keeps it.
   *
   * @param key what it is made of
   * @param segment makes it; called if the cache does not hold it
   * @return the serialised model
   * @throws ModelException if the cache cannot be read or written
   */
  public byte[] getOrCreate(Key key, Supplier<byte[]> segment) {
    Path file = pathFor(key);
    try {
      return Files.readAllBytes(file);
    } catch (NoSuchFileException e) {
      return create(file, segment.get());
    } catch (IOException e) {
      throw unusable(e);
    }
  }

  private byte[] create(Path file, byte[] segment) {
    try {
      Files.createDirectories(file.getParent());
      removeAbandoned();
      Path work = Files.createTempFile(file.getParent(), FILE + ".", PART);
      try {
        try (FileChannel out = FileChannel.open(work, StandardOpenOption.WRITE)) {
          ByteBuffer left = ByteBuffer.wrap(segment);
          while (left.hasRemaining()) {
            out.write(left);
          }
          out.force(true);
        }
        Files.move(work, file, StandardCopyOption.ATOMIC_MOVE);
      } finally {
        Files.deleteIfExists(work);
      }
      return segment;
    } catch (IOException e) {
      throw unusable(e);
    }
  }

  /** Removes what processes left behind that were killed while they wrote. */
  private void removeAbandoned() throws IOException {
    Instant limit = Instant.now().minus(ABANDONED);
    try (DirectoryStream<Path> keys = Files.newDirectoryStream(folder, Files::isDirectory)) {
      for (Path key : keys) {
        try (DirectoryStream<Path> parts = Files.newDirectoryStream(key, "*" + PART)) {
          for (Path part : parts) {
            removeIfOlder(part, limit);
          }
        }
      }
    }
  }

  private static void removeIfOlder(Path part, Instant limit) throws IOException {
    try {
      if (Files.getLastModifiedTime(part).toInstant().isBefore(limit)) {
        Files.deleteIfExists(part);
      }
    } catch (NoSuchFileException e) {
      // another process has renamed or removed it
    }
  }

  private ModelException unusable(IOException e) {
    return new ModelException(
        "the cache of segments %s cannot be used (%s); choose another cache folder with -Dsquint.cache=FOLDER"
            .formatted(folder, e.getMessage()),
        e);
  }
}
