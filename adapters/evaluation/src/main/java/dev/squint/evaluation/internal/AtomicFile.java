package dev.squint.evaluation.internal;

import dev.squint.evaluation.Setting;
import dev.squint.evaluation.SettingException;
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
public record AtomicFile(Path target) {

  /**
   * Writes it next to its place and moves it there.
   *
   * @param bytes all of it
   * @throws SettingException if it cannot be written
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
      throw new SettingException(
          e, "%s cannot be written: %s; choose another %s", target, e.getMessage(), Setting.OUTPUT);
    }
  }

  /**
   * Takes it away if it is there.
   *
   * @throws SettingException if it cannot be deleted
   */
  public void delete() {
    try {
      Files.deleteIfExists(target);
    } catch (IOException e) {
      throw new SettingException(
          e, "%s cannot be deleted: %s; choose another %s", target, e.getMessage(), Setting.OUTPUT);
    }
  }
}
