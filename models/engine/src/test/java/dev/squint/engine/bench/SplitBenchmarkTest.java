package dev.squint.engine.bench;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.squint.engine.bench.SegmentChain.Split;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Measures what splitting costs and what pruning gains, prints each ratio next to its bar and
 * writes all to {@code target/bench.json}: {@code mvn -Pbench -pl models/engine -am test}. Wants a
 * quiet machine.
 *
 * <p>Properties: {@code squint.bench.shapes} (smolvlm-256m,qwen2-0.5b; tiny to try it out), {@code
 * squint.bench.encodings} (decomposed,fused), {@code squint.bench.pairs} (7), {@code
 * squint.bench.grid} (27, visual tokens a side), {@code squint.bench.threads} (0, one per core),
 * {@code squint.bench.strict} (false; true fails where a bar is missed).
 */
@Tag("bench")
class SplitBenchmarkTest {

  private static final int TEXT_TOKENS = 40;
  private static final double SPLIT_BAR = 1.02;
  private static final double SPEEDUP_BAR = 0.95;
  private static final double MEMORY_BAR = 1.05;
  private static final double DECODE_BAR = 1.03;
  private static final double HEAP_BAR = 8192;
  private static final int SEGMENTS = 4;
  private static final String LONG_CACHE = "1900";
  private static final double DECIDING_BAR = 0.03;
  private static final String HEAP = "512m";

  @TempDir Path temp;

  private final List<Map<String, Object>> rows = new ArrayList<>();
  private final List<String> missed = new ArrayList<>();
  private final int grid = Integer.getInteger("squint.bench.grid", 27);
  private final String pairs = System.getProperty("squint.bench.pairs", "7");
  private final String threads = System.getProperty("squint.bench.threads", "0");

  @Test
  void measures() throws IOException {
    String shapes = System.getProperty("squint.bench.shapes", "smolvlm-256m,qwen2-0.5b");
    String encodings = System.getProperty("squint.bench.encodings", "decomposed,fused");
    for (String shape : shapes.split(",")) {
      for (String encoding : encodings.split(",")) {
        Path folder = Files.createDirectories(temp.resolve(shape + "-" + encoding));
        SyntheticModel model =
            SyntheticModel.write(
                folder,
                DecoderSizes.named(shape),
                SyntheticDecoder.Encoding.valueOf(encoding.toUpperCase(Locale.ROOT)),
                grid);
        new Model(model, shape + " " + encoding).measure();
        delete(folder);
      }
    }
    assertThat(rows).isNotEmpty();
    if (Boolean.getBoolean("squint.bench.strict")) {
      assertThat(missed).isEmpty();
    }
  }

  /** All that is measured of one model. */
  private final class Model {
    private final SyntheticModel model;
    private final String name;
    private final String folder;
    private final String shape;
    private final String tokens;

    Model(SyntheticModel model, String name) {
      this.model = model;
      this.name = name;
      this.folder = model.folder().toString();
      this.shape = model.sizes().name();
      this.tokens = Integer.toString(grid * grid + TEXT_TOKENS);
    }

    void measure() throws IOException {
      split(Split.EVERY_LAYER, "split at every layer over one segment, prefill time", true);
      split(Split.EVERY_LAYER_WITH_SEAMS, "the same with seams that keep all tokens", false);
      split(Split.FILE, "the file itself (logits of all rows) over one segment", false);
      fastV(1, "split, tap and decision of FastV K=2 that keeps all");
      fastV(0.5, "FastV K=2 keep 0.5");
      fastV(0.1, "FastV K=2 keep 0.1");
      decode();
      memory();
    }

    private void decode() throws IOException {
      JsonNode found =
          run(
              "decode",
              folder,
              shape,
              Integer.toString(model.grid()),
              Integer.toString(TEXT_TOKENS),
              Integer.toString(SEGMENTS),
              pairs,
              threads);
      atMost("decode in four segments over one, time of a token", found, "ratio", DECODE_BAR);
      atMost("heap of a token in one segment, bytes", found, "heapPerTokenInOne", HEAP_BAR);
      atMost("heap of a token in four segments, bytes", found, "heapPerToken", HEAP_BAR);
      atMost(
          "KV cache grown in place over one copied in each step, time of a token after 2,000",
          run("growth", folder, shape, LONG_CACHE, pairs, threads),
          "ratio",
          1);
    }

    private void split(Split split, String what, boolean barred) throws IOException {
      JsonNode found = run("chains", folder, shape, split.name(), tokens, pairs, threads);
      atMost(what, found, "ratio", barred ? SPLIT_BAR : Double.NaN);
    }

    private void fastV(double keep, String what) throws IOException {
      JsonNode found =
          run(
              "fastv",
              folder,
              shape,
              Integer.toString(model.grid()),
              Integer.toString(TEXT_TOKENS),
              Double.toString(keep),
              pairs,
              threads);
      if (keep == 1) {
        atMost(what + ", prefill time over no pruning", found, "ratio", Double.NaN);
      } else {
        atLeast(what + ", measured over predicted speedup", found);
        atMost(
            what + ", deciding over prefill time", found, "decidingShareOfPrefill", DECIDING_BAR);
      }
    }

    private void memory() throws IOException {
      JsonNode whole = memory(Split.WHOLE);
      for (Split split : new Split[] {Split.BEFORE_LAYER_2, Split.EVERY_LAYER, Split.FILE}) {
        JsonNode parts = memory(split);
        for (String kind : List.of("VmRSS", "VmHWM")) {
          double ratio =
              parts.at("/run3/" + kind).asDouble() / whole.at("/run3/" + kind).asDouble();
          Map<String, Object> row = new LinkedHashMap<>();
          row.put("ratio", ratio);
          row.put("whole", whole);
          row.put("other", parts);
          String what = "%s of %s over one segment, after three prefills".formatted(kind, split);
          atMost(
              what,
              new ObjectMapper().valueToTree(row),
              "ratio",
              split == Split.FILE ? Double.NaN : MEMORY_BAR);
        }
      }
    }

    private JsonNode memory(Split split) throws IOException {
      return run("memory", folder, shape, split.name(), tokens, threads);
    }

    private JsonNode run(String... task) throws IOException {
      return ChildJvm.run(HEAP, task);
    }

    private void atMost(String what, JsonNode found, String field, double bar) throws IOException {
      double value = found.get(field).asDouble();
      row(what, found, value, "<=", bar, value <= bar);
    }

    private void atLeast(String what, JsonNode found) throws IOException {
      double value = found.get("measuredOverPredicted").asDouble();
      row(what, found, value, ">=", SPEEDUP_BAR, value >= SPEEDUP_BAR);
    }

    private void row(
        String what, JsonNode found, double value, String relation, double bar, boolean met)
        throws IOException {
      boolean barred = !Double.isNaN(bar);
      String line = "%s: %s: %.4f".formatted(name, what, value);
      if (barred) {
        line += " (bar %s %.2f, %s)".formatted(relation, bar, met ? "met" : "MISSED");
        if (!met) {
          missed.add(line);
        }
      }
      System.out.println(line);
      Map<String, Object> row = new LinkedHashMap<>();
      row.put("model", name);
      row.put("what", what);
      row.put("value", value);
      if (barred) {
        row.put("bar", relation + " " + bar);
        row.put("met", met);
      }
      row.put("found", found);
      rows.add(row);
      write();
    }
  }

  private void write() throws IOException {
    Map<String, Object> report = new LinkedHashMap<>();
    report.put("cores", Runtime.getRuntime().availableProcessors());
    report.put("visualTokens", grid * grid);
    report.put("textTokens", TEXT_TOKENS);
    report.put("rows", rows);
    Files.createDirectories(Path.of("target"));
    new ObjectMapper()
        .writerWithDefaultPrettyPrinter()
        .writeValue(Path.of("target", "bench.json").toFile(), report);
  }

  private static void delete(Path folder) throws IOException {
    try (var tree = Files.walk(folder)) {
      for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}
