package dev.squint.evaluation.compare;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.Stream;

/**
 * The energy counters of the processor packages (RAPL), where the operating system shows them.
 *
 * @param zones folders with {@code energy_uj} and {@code max_energy_range_uj}
 */
record Energy(List<Path> zones) {

  private static final double MICRO = 1e-6;
  private static final String COUNTER = "energy_uj";

  Energy {
    zones = List.copyOf(zones);
  }

  static Energy ofThisMachine() {
    return in(Path.of("/sys/class/powercap"));
  }

  /** The packages below a folder whose counters can be read. */
  static Energy in(Path powercap) {
    try (Stream<Path> folders = Files.list(powercap)) {
      return new Energy(
          folders
              .filter(folder -> folder.getFileName().toString().matches("intel-rapl:\\d+"))
              .filter(folder -> Files.isReadable(folder.resolve(COUNTER)))
              .sorted()
              .toList());
    } catch (IOException e) {
      return new Energy(List.of());
    }
  }

  boolean isKnown() {
    return !zones.isEmpty();
  }

  /** Counters now, in microjoules; empty where there are none. */
  long[] read() {
    return zones.stream().mapToLong(zone -> number(zone.resolve(COUNTER))).toArray();
  }

  /** Joules since an earlier reading; a counter that has wrapped once is seen through. */
  OptionalDouble since(long[] earlier) {
    if (!isKnown()) {
      return OptionalDouble.empty();
    }
    long[] now = read();
    double sum = 0;
    for (int i = 0; i < now.length; i++) {
      long spent = now[i] - earlier[i];
      sum += spent >= 0 ? spent : spent + number(zones.get(i).resolve("max_energy_range_uj"));
    }
    return OptionalDouble.of(sum * MICRO);
  }

  private static long number(Path file) {
    try {
      return Long.parseLong(Files.readString(file).strip());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
