package dev.squint.evaluation.compare;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/**
 * The most memory that a process has held, as Linux keeps it ({@code VmHWM}); empty elsewhere.
 *
 * @param process the process's folder in {@code /proc}
 */
record ResidentMemory(Path process) {

  private static final String PEAK = "VmHWM:";

  static ResidentMemory ofThisProcess() {
    return new ResidentMemory(Path.of("/proc/self"));
  }

  /** In bytes. */
  OptionalLong peak() {
    try {
      return Files.readAllLines(process.resolve("status")).stream()
          .filter(line -> line.startsWith(PEAK))
          .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("\\D", "")))
          .findFirst();
    } catch (IOException | NumberFormatException e) {
      return OptionalLong.empty();
    }
  }
}
