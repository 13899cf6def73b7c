package dev.squint.engine.bench;

import dev.squint.engine.VisionLanguageModel;
import dev.squint.engine.options.ModelOptions;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.engine.request.ModelInput;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.trace.Timings;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a model holds in memory while the splits of several strategies stay loaded. */
final class StrategyMemory {

  private static final int TEXT = 40;
  private static final int STEPS = 8;

  private StrategyMemory() {}

  /**
   * Kilobytes of this process and times, after each strategy has answered, one after the other.
   *
   * @param specs the strategies, separated by semicolons
   * @param runs how often each answers
   */
  static Map<String, ?> measure(SyntheticModel model, String specs, int threads, int runs)
      throws IOException {
    ModelOptions options =
        ModelOptions.builder()
            .threads(threads)
            .cacheFolder(model.folder().resolve("cache"))
            .maxCachedSplits(64)
            .build();
    GenerationOptions steps = GenerationOptions.builder().maxNewTokens(STEPS).build();
    ModelInput prompt = model.prompt(TEXT);
    Map<String, Object> found = new LinkedHashMap<>();
    try (VisionLanguageModel open = VisionLanguageModel.open(model.folder(), options)) {
      found.put("weightKilobytes", open.fileBytes() / 1024);
      for (String spec : specs.split(";")) {
        List<Double> prefill = new ArrayList<>();
        List<Double> step = new ArrayList<>();
        long start = System.nanoTime();
        for (int run = 0; run < runs; run++) {
          Timings times = open.generate(prompt, Strategies.parse(spec), steps).trace().timings();
          prefill.add(times.prefillNanos() / 1e6);
          step.add(times.decodeNanos() / 1e6 / (STEPS - 1));
        }
        Map<String, Object> line = new LinkedHashMap<>(ResidentMemory.kilobytes());
        line.put("prefillMillis", prefill);
        line.put("stepMillis", step);
        line.put("seconds", (System.nanoTime() - start) / 1e9);
        found.put(spec, line);
      }
    }
    return found;
  }
}
