package dev.squint.evaluation.internal;

import dev.squint.evaluation.Setting;
import dev.squint.evaluation.SettingException;
import dev.squint.onnx.internal.io.AtomicFiles;
import dev.squint.onnx.internal.io.FileFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A file of an evaluation, written whole or not at all.
 *
 * @param target where it goes
 */
public record ResultFile(Path target) {

  /**
   * Writes it next to its place and moves it there.
   *
   * @param bytes all of it
   * @throws SettingException if it cannot be written
   */
  public void write(byte[] bytes) {
    try {
      AtomicFiles.replace(target, bytes);
    } catch (IOException e) {
      throw new SettingException(
          e,
          "%s cannot be written: %s; choose another %s",
          target,
          FileFailure.reason(e),
          Setting.OUTPUT);
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
