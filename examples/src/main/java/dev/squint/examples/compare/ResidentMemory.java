package dev.squint.examples.compare;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/**
 * The most memory that this process has held since the mark was last set back, as Linux keeps it
 * ({@code VmHWM}); empty elsewhere.
 *
 * @param process the process's folder in {@code /proc}
 */
record ResidentMemory(Path process) {

  private static final String PEAK = "VmHWM:";
  private static final String SET_BACK = "5";

  static ResidentMemory ofThisProcess() {
    return new ResidentMemory(Path.of("/proc/self"));
  }

  /** Sets the mark back to what is held now; false if the system does not do that. */
  boolean setBack() {
    try {
      Files.writeString(process.resolve("clear_refs"), SET_BACK);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  /** The mark, in bytes. */
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
