package dev.squint.models;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** SHA-256 of every file in a folder, by its path in it. */
final class FileHashes {

  private FileHashes() {}

  static Map<String, String> of(Path folder) throws IOException {
    Map<String, String> hashes = new TreeMap<>();
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path file : all.filter(Files::isRegularFile).toList()) {
        hashes.put(folder.relativize(file).toString(), Sha256.of(file));
      }
    }
    return hashes;
  }
}
