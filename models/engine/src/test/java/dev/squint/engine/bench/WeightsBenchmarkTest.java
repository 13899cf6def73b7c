package dev.squint.engine.bench;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What it costs that splits share the weights of a model, and what it saves, each ratio next to its
 * bar: {@code mvn -Pbench -pl models/engine -am test -Dtest=WeightsBenchmarkTest
 * -Dsurefire.failIfNoSpecifiedTests=false}. Wants a quiet machine and Linux. Property {@code
 * squint.bench.strict} (false; true fails where a bar is missed).
 */
@Tag("bench")
class WeightsBenchmarkTest {

  private static final DecoderSizes SIZES = DecoderSizes.QWEN2_HALF_B;
  private static final int GRID = 12;
  private static final int TOKENS = GRID * GRID + 40;
  private static final String HEAP = "128m";
  private static final String THREADS = "0";

  @TempDir Path temp;

  private final List<String> missed = new ArrayList<>();

  @ParameterizedTest
  @EnumSource
  void weightsAreThereOnce(SyntheticDecoder.Encoding encoding) throws IOException {
    String folder = temp.toString();
    SyntheticModel.write(temp, SIZES, encoding, GRID);
    JsonNode four =
        ChildJvm.runWithHeap(
            HEAP,
            "strategies",
            folder,
            SIZES.name(),
            Integer.toString(GRID),
            "none;fastv:k=2;pyramiddrop;sparsevlm",
            THREADS,
            "3");
    double one = four.at("/none/VmRSS").asDouble();
    atMost(
        encoding,
        "four strategies over one, resident",
        1.1,
        four,
        four.at("/sparsevlm/VmRSS").asDouble() / one);
    shared(encoding, "prefill", TOKENS, "9");
    shared(encoding, "decode step", 1, "41");
    JsonNode opening =
        ChildJvm.run(
            HEAP, "opening", folder, SIZES.name(), Integer.toString(GRID), "fastv:k=2", THREADS);
    atMost(
        encoding,
        "time of a request while a split opens over alone",
        Double.NaN,
        opening,
        opening.get("ratio").asDouble());
    holds();
  }

  private void shared(SyntheticDecoder.Encoding encoding, String what, int tokens, String pairs)
      throws IOException {
    JsonNode found =
        ChildJvm.run(
            HEAP,
            "shared",
            temp.toString(),
            SIZES.name(),
            Integer.toString(tokens),
            pairs,
            THREADS);
    atMost(
        encoding,
        what + " with shared matrices over its own",
        1.02,
        found,
        found.get("ratio").asDouble());
  }

  @Test
  void manyStrategiesAreAnsweredAsFastAsIfAllSplitsWereKept() throws IOException {
    Path cache = Files.createDirectories(temp.resolve("cache"));
    JsonNode found = ChildJvm.run("1g", "everyStrategy", cache.toString(), "64", "15", "0,64");
    double ratio = mean(found.get("default")) / mean(found.get("64 splits"));
    print(
        "64 threads, answers per second of the default over 64 splits kept",
        0.9,
        ratio >= 0.9,
        found,
        ratio);
    holds();
  }

  private static double mean(JsonNode numbers) {
    double sum = 0;
    for (JsonNode number : numbers) {
      sum += number.asDouble();
    }
    return sum / numbers.size();
  }

  private void atMost(
      SyntheticDecoder.Encoding encoding, String what, double bar, JsonNode found, double value) {
    print(SIZES.name() + " " + encoding + ": " + what, bar, !(value > bar), found, value);
  }

  private void print(String what, double bar, boolean met, JsonNode found, double value) {
    String line = "%s: %.4f".formatted(what, value);
    if (!Double.isNaN(bar)) {
      line += " (bar %.2f, %s)".formatted(bar, met ? "met" : "MISSED");
      if (!met) {
        missed.add(line);
      }
    }
    System.out.println(line);
    System.out.println("  " + found);
  }

  private void holds() {
    if (Boolean.getBoolean("squint.bench.strict")) {
      assertThat(missed).isEmpty();
    }
  }
}
