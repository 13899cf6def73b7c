package dev.squint.engine.bench;

import dev.squint.engine.VisionLanguageModel;
import dev.squint.engine.options.ModelOptions;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.trace.Trace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** What an answer costs in memory with its KV cache kept in some form, as Linux counts it. */
final class CacheMemory {

  static final int TEXT = 40;
  private static final int STEPS = 16;

  private CacheMemory() {}

  /** Greatest resident kilobytes of this process, what the trace says, and time per step. */
  static Map<String, ?> measure(SyntheticModel model, String spec, int threads) throws IOException {
    ModelOptions options =
        ModelOptions.builder()
            .threads(threads)
            .cacheFolder(model.folder().resolve("cache"))
            .build();
    Map<String, Object> found = new LinkedHashMap<>();
    try (VisionLanguageModel open = VisionLanguageModel.open(model.folder(), options)) {
      GenerationOptions steps = GenerationOptions.builder().maxNewTokens(STEPS).build();
      Trace trace = open.generate(model.prompt(TEXT), Strategies.parse(spec), steps).trace();
      found.put("spec", spec);
      found.put("peakKilobytes", peak());
      found.put("kvBytes", trace.kvBytes());
      found.put("unprunedKvBytes", trace.unprunedKvBytes());
      found.put("stepMillis", trace.timings().decodeNanos() / 1e6 / (STEPS - 1));
      found.put("prefillMillis", trace.timings().prefillNanos() / 1e6);
    }
    return found;
  }

  private static long peak() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("VmHWM:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
        .findFirst()
        .orElse(-1);
  }
}
