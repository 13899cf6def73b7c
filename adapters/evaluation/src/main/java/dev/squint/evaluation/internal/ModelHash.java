package dev.squint.evaluation.internal;

import dev.squint.DataException;
import dev.squint.onnx.internal.io.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/**
 * Tells models apart: SHA-256 over names and sizes of the files of a model folder and over what is
 * in them, of files above 64 MB over the first megabyte.
 */
final class ModelHash {

  private static final long WHOLE = 64L << 20;
  private static final int START = 1 << 20;

  private ModelHash() {}

  /**
   * Tells a model apart.
   *
   * @param folder its folder
   * @param precision which of its graphs are loaded, empty for the most exact
   */
  static String of(Path folder, String precision) {
    try (Stream<Path> tree = Files.walk(folder)) {
      MessageDigest digest = Sha256.digest();
      digest.update(precision.getBytes(StandardCharsets.UTF_8));
      List<Path> files = tree.filter(Files::isRegularFile).sorted().toList();
      for (Path file : files) {
        long size = Files.size(file);
        String name = folder.relativize(file).toString().replace('\\', '/');
        digest.update((name + " " + size + "\n").getBytes(StandardCharsets.UTF_8));
        try (InputStream stream = Files.newInputStream(file)) {
          digest.update(size <= WHOLE ? stream.readAllBytes() : stream.readNBytes(START));
        }
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (IOException e) {
      throw new DataException("%s cannot be read: %s".formatted(folder, e.getMessage()), e);
    }
  }
}
