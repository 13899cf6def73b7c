package dev.squint.examples.report;

import dev.squint.adapters.DataException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/**
 * A file that is written whole or not at all.
 *
 * @param target where it goes
 */
public record WholeFile(Path target) {

  /**
   * Writes it beside its place and moves it there.
   *
   * @param bytes all of it
   * @throws DataException if it cannot be written
   */
  public void write(byte[] bytes) {
    // Not a temporary file of the library: that could be read by its owner only.
    Path part = target.resolveSibling("." + target.getFileName() + "." + UUID.randomUUID());
    try {
      try {
        Files.write(part, bytes, StandardOpenOption.CREATE_NEW);
        Files.move(part, target, StandardCopyOption.REPLACE_EXISTING);
      } finally {
        Files.deleteIfExists(part);
      }
    } catch (IOException e) {
      throw new DataException(
          "%s cannot be written: %s; choose another --out".formatted(target, e.getMessage()), e);
    }
  }

  /**
   * Takes it away if it is there.
   *
   * @throws DataException if it cannot be deleted
   */
  void delete() {
    try {
      Files.deleteIfExists(target);
    } catch (IOException e) {
      throw new DataException(
          "%s cannot be deleted: %s; choose another --out".formatted(target, e.getMessage()), e);
    }
  }
}
