package dev.squint.hub;

import dev.squint.onnx.internal.io.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * A file of a repository.
 *
 * @param path its path there, with slashes
 * @param size its bytes
 * @param hash SHA-256 of a large file, else the id that git gives a file of its content
 */
record HubFile(String path, long size, String hash) {

  private static final int SHA256_DIGITS = 64;

  /** Whether a file on disk is this one. */
  boolean isIn(Path file) throws IOException {
    return Files.size(file) == size && hash.equals(hashOf(file));
  }

  private String hashOf(Path file) throws IOException {
    if (hash.length() == SHA256_DIGITS) {
      return Sha256.of(file);
    }
    MessageDigest digest = sha1();
    digest.update("blob %d\0".formatted(size).getBytes(StandardCharsets.US_ASCII));
    try (InputStream content = Files.newInputStream(file)) {
      byte[] block = new byte[1 << 16];
      for (int read = content.read(block); read >= 0; read = content.read(block)) {
        digest.update(block, 0, read);
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static MessageDigest sha1() {
    try {
      return MessageDigest.getInstance("SHA-1");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-1", e);
    }
  }
}
