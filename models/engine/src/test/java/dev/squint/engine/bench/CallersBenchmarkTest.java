package dev.squint.engine.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.squint.engine.VisionLanguageModel;
import dev.squint.engine.options.ModelOptions;
import dev.squint.engine.request.FinishReason;
import dev.squint.engine.request.Generation;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.engine.request.GenerationRequest;
import dev.squint.engine.request.ModelInput;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Many callers with long prompts: {@code mvn -Pbench -pl models/engine -am test
 * -Dtest=CallersBenchmarkTest}. Each caller asks again as soon as it has its answer. Prints answers
 * per second over those of four callers, the 95th percentile of the latency over its median, and
 * the growth of resident memory next to the budget. Wants a quiet machine.
 *
 * <p>Properties: {@code squint.bench.shapes} (smolvlm-256m; tiny to try it out), {@code
 * squint.bench.callers.tokens} (2000) in a prompt, {@code squint.bench.callers.rounds} (1) for each
 * caller, 16 at least in all, {@code squint.bench.strict}.
 */
@Tag("bench")
class CallersBenchmarkTest {

  private static final int GRID = 27;
  private static final int MOST = 64;
  private static final int FEWEST = 16;
  private static final double THROUGHPUT_BAR = 0.95;
  private static final double LATENCY_BAR = 2;
  private static final GenerationOptions SHORT =
      GenerationOptions.builder().maxNewTokens(4).build();

  @TempDir Path temp;

  private record Found(double perSecond, double median, double p95, long grownKib) {}

  @Test
  void callersWaitTheirTurn() throws Exception {
    DecoderSizes sizes =
        DecoderSizes.named(System.getProperty("squint.bench.shapes", "smolvlm-256m"));
    SyntheticModel model = SyntheticModel.write(temp, sizes, SyntheticDecoder.Encoding.FUSED, GRID);
    int tokens = Integer.getInteger("squint.bench.callers.tokens", 2000);
    ModelInput prompt = model.prompt(tokens - GRID * GRID);
    int rounds = Integer.getInteger("squint.bench.callers.rounds", 1);
    try (VisionLanguageModel open =
        VisionLanguageModel.open(model.folder(), ModelOptions.defaults())) {
      long budget = ModelOptions.defaults().memoryBudget() >> 10;
      ask(open, prompt);
      Found few = measure(open, prompt, 4, requests(4, rounds));
      for (int callers : new int[] {16, MOST}) {
        Found many = measure(open, prompt, callers, requests(callers, rounds));
        double throughput = many.perSecond() / few.perSecond();
        double spread = many.p95() / many.median();
        System.out.printf(
            Locale.ROOT,
            "%d callers, %d-token prompts: %.2f of the answers per second of 4 callers (bar %.2f%s),"
                + " p95 %.2f of the median latency (bar %.1f%s), %d MiB grown of %d MiB budget%n",
            callers,
            tokens,
            throughput,
            THROUGHPUT_BAR,
            throughput < THROUGHPUT_BAR ? " MISSED" : "",
            spread,
            LATENCY_BAR,
            spread > LATENCY_BAR ? " MISSED" : "",
            many.grownKib() >> 10,
            budget >> 10);
        assertThat(many.grownKib()).isLessThanOrEqualTo(budget);
        if (Boolean.getBoolean("squint.bench.strict")) {
          assertThat(throughput).isGreaterThanOrEqualTo(THROUGHPUT_BAR);
          assertThat(spread).isLessThanOrEqualTo(LATENCY_BAR);
        }
      }
    }
  }

  private static int requests(int callers, int rounds) {
    return Math.max(FEWEST, callers * rounds);
  }

  private static Found measure(
      VisionLanguageModel model, ModelInput prompt, int callers, int requests) throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(callers);
    AtomicInteger left = new AtomicInteger(requests);
    AtomicLong peak = new AtomicLong();
    long before = residentKib();
    long start = System.nanoTime();
    List<Future<List<Long>>> all = new ArrayList<>();
    try {
      for (int caller = 0; caller < callers; caller++) {
        all.add(
            pool.submit(
                () -> {
                  List<Long> latencies = new ArrayList<>();
                  while (left.getAndDecrement() > 0) {
                    long asked = System.nanoTime();
                    ask(model, prompt);
                    latencies.add(System.nanoTime() - asked);
                    peak.accumulateAndGet(residentKib(), Math::max);
                  }
                  return latencies;
                }));
      }
      List<Long> latencies = new ArrayList<>();
      for (Future<List<Long>> one : all) {
        latencies.addAll(one.get());
      }
      double seconds = (System.nanoTime() - start) / 1e9;
      latencies.sort(null);
      return new Found(
          requests / seconds,
          latencies.get(latencies.size() / 2),
          latencies.get(latencies.size() * 95 / 100),
          Math.max(0, peak.get() - before));
    } finally {
      pool.shutdownNow();
    }
  }

  private static void ask(VisionLanguageModel model, ModelInput prompt) {
    Generation answer = model.generate(GenerationRequest.builder(prompt).options(SHORT).build());
    assertThat(answer.finish()).isIn(FinishReason.LENGTH, FinishReason.STOP);
  }

  private static long residentKib() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("VmRSS:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
        .findFirst()
        .orElse(0);
  }
}
