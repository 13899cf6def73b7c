package dev.squint.engine.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a loaded decoder holds in memory after it has answered, as Linux counts it. */
final class ResidentMemory {

  private static final List<String> LINES = List.of("VmHWM", "VmRSS", "RssAnon", "RssFile");

  private static final int RUNS = 3;

  private ResidentMemory() {}

  /** Kilobytes of this process: {@code before} loading, {@code loaded} and after each prefill. */
  static Map<String, ?> measure(
      Path folder, DecoderSizes sizes, SegmentChain.Split split, int tokens, int threads)
      throws IOException {
    Map<String, Map<String, Long>> found = new LinkedHashMap<>();
    found.put("before", kilobytes());
    try (SegmentChain chain =
        SegmentChain.open(SyntheticModel.decoder(folder), sizes, split, threads)) {
      found.put("loaded", kilobytes());
      for (int run = 1; run <= RUNS; run++) {
        chain.prefill(tokens);
        found.put("run" + run, kilobytes());
      }
    }
    return found;
  }

  static Map<String, Long> kilobytes() throws IOException {
    Map<String, Long> found = new LinkedHashMap<>();
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      String key = line.substring(0, Math.max(0, line.indexOf(':')));
      if (LINES.contains(key)) {
        found.put(key, Long.parseLong(line.replaceAll("\\D", "")));
      }
    }
    for (String line : Files.readAllLines(Path.of("/proc/self/smaps_rollup"))) {
      if (line.startsWith("Pss:")) {
        found.put("Pss", Long.parseLong(line.replaceAll("\\D", "")));
      }
    }
    return found;
  }
}
