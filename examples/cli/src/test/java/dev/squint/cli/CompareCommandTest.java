package dev.squint.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** Comparisons on the embedded model. */
class CompareCommandTest {

  private static final String[] FEW = {
    "--strategies", "fastv:k=2", "--keep", "0.1", "--seeds", "1"
  };
  private static final int TIMED = 2;
  private static final int CELLS = 1 + 1 + 1 + 1 + 1;

  private static final String[] THREE = {"--limit", "3", "--timed", "0"};

  /** A comparison on three questions. */
  @TempDir private static Path three;

  @TempDir private Path folder;

  private static final String COSTS =
      "costs-cpu-%d.jsonl".formatted(Runtime.getRuntime().availableProcessors());

  private record Outcome(int code, String out, String err) {}

  @BeforeAll
  static void compareOnThree() {
    Outcome outcome = compare(three, THREE);
    assertThat(outcome.code()).as(outcome.err()).isZero();
  }

  private static Outcome run(List<String> arguments) {
    StringWriter printed = new StringWriter();
    StringWriter err = new StringWriter();
    CommandLine line = SquintCommand.commandLine();
    line.setOut(new PrintWriter(printed)).setErr(new PrintWriter(err));
    int code = line.execute(arguments.toArray(String[]::new));
    return new Outcome(code, printed.toString(), err.toString());
  }

  private static List<String> command(Path out, String... more) {
    List<String> arguments = new ArrayList<>(List.of("compare", "--out", out.toString()));
    arguments.addAll(List.of(FEW));
    arguments.addAll(List.of(more));
    return arguments;
  }

  private static Outcome compare(Path out, String... more) {
    return run(command(out, more));
  }

  private static JsonNode json(Path file) throws IOException {
    return new ObjectMapper().readTree(file.toFile());
  }

  /** A summary without what a clock or the machine decides. */
  private static JsonNode still(Path report) throws IOException {
    ObjectNode summary = (ObjectNode) json(report.resolve("summary.json"));
    summary.remove("machine");
    summary.path("cells").forEach(cell -> ((ObjectNode) cell).remove("measured"));
    return summary;
  }

  private static List<JsonNode> lines(Path report) throws IOException {
    List<JsonNode> lines = new ArrayList<>();
    for (String line : Files.readAllLines(report.resolve("results.jsonl"))) {
      lines.add(new ObjectMapper().readTree(line));
    }
    return lines;
  }

  /** Resident memory by cell, each more than a Java without a model would take. */
  private static Map<String, Long> peaks(Path report) throws IOException {
    Map<String, Long> peaks = new HashMap<>();
    for (String line : Files.readAllLines(report.resolve(COSTS))) {
      JsonNode node = new ObjectMapper().readTree(line);
      if (node.has("callers")) {
        assertThat(node.path("requests").intValue())
            .isEqualTo(Math.max(node.path("callers").intValue(), TIMED));
      }
      if (node.has("peak_bytes")) {
        assertThat(node.path("peak_bytes").longValue()).isGreaterThan(60_000_000);
        assertThat(peaks.put(node.path("cell").asText(), node.path("peak_bytes").longValue()))
            .isNull();
      }
    }
    return peaks;
  }

  @Test
  void writesALinePerQuestionAndCellAndTheReport() throws IOException {
    Path out = folder.resolve("report");
    int cells = 4;
    int questions = 4;
    Outcome outcome =
        run(
            List.of(
                "compare",
                "--out",
                out.toString(),
                "--strategies",
                "",
                "--keep",
                "0.1",
                "--seeds",
                "1",
                "--limit",
                Integer.toString(questions),
                "--timed",
                Integer.toString(TIMED),
                "--workers",
                "2"));
    assertThat(outcome.code()).as(outcome.err()).isZero();
    assertThat(outcome.err())
        .startsWith("the scenes that come with Squint: easy-VQA format, 240 questions")
        .contains("wrote ");
    assertThat(out.toFile().list())
        .containsExactlyInAnyOrder(
            "run.json",
            "results.jsonl",
            COSTS,
            "summary.json",
            "summary.csv",
            "index.html",
            "pareto.png",
            "pareto.svg",
            "speedup.png",
            "speedup.svg");
    List<JsonNode> lines = lines(out);
    assertThat(lines).hasSize(questions * cells);
    Set<String> keys = new HashSet<>();
    for (JsonNode line : lines) {
      keys.add(line.path("cell").asText() + "/" + line.path("doc_id").asText());
      assertThat(line.path("resps").path(0).path(0).isTextual()).isTrue();
      assertThat(line.path("filtered_resps").path(0).isTextual()).isTrue();
      assertThat(line.path("exact_match").isNumber()).isTrue();
      assertThat(line.path("doc_hash").asText()).hasSize(64);
    }
    assertThat(keys).hasSize(lines.size());
    Map<String, Long> peaks = peaks(out);
    assertThat(peaks).hasSize(Files.isReadable(Path.of("/proc/self/status")) ? cells : 0);
    JsonNode summary = json(out.resolve("summary.json"));
    assertThat(summary.path("cells")).hasSize(cells);
    for (JsonNode cell : summary.path("cells")) {
      long right =
          lines.stream()
              .filter(line -> line.path("cell").equals(cell.path("id")))
              .filter(line -> line.path("exact_match").intValue() == 1)
              .count();
      JsonNode score = cell.path("scores").path("exact_match");
      assertThat(score.path("correct").longValue()).isEqualTo(right);
      assertThat(score.path("total").intValue()).isEqualTo(questions);
      assertThat(score.path("low").doubleValue())
          .isLessThanOrEqualTo(score.path("value").doubleValue());
      assertThat(cell.path("measured").path("requests").intValue()).isEqualTo(TIMED);
      assertThat(cell.path("measured").path("load")).hasSize(3);
      assertThat(cell.path("measured").path("peakBytes").longValue())
          .isEqualTo(peaks.getOrDefault(cell.path("id").asText(), 0L));
    }
    JsonNode whole = summary.path("cells").get(0);
    assertThat(whole.path("id").asText()).isEqualTo("none");
    assertThat(whole.path("cost").path("flopsLeft").doubleValue()).isEqualTo(1);
    assertThat(whole.path("against").path("loyalty").path("value").doubleValue()).isEqualTo(1);
    assertThat(whole.path("against").path("p").doubleValue()).isEqualTo(1);
    assertThat(Files.readAllLines(out.resolve("summary.csv"))).hasSize(1 + cells);
  }

  @Test
  void anotherRunDoesNotMixIn() {
    Outcome other = compare(three, "--limit", "3", "--timed", "0", "--seed", "1");
    assertThat(other.code()).isEqualTo(2);
    assertThat(other.err())
        .contains("holds another comparison (--seed 0 differs); choose another --out");
  }

  @Test
  void questionsArePutAsOneSays() throws IOException {
    assertThat(lines(three)).noneMatch(line -> line.path("input").asText().contains("\n"));
    assertThat(Files.readString(three.resolve("index.html")))
        .contains("each asked the same 3 of 240 questions, scored by exact_match.")
        .contains("(format of easy-VQA)")
        .contains("<dt>After each question</dt><dd>nothing</dd>");
    List<String> asked = new ArrayList<>(List.of(THREE));
    asked.addAll(List.of("--prompt-suffix", "answer in one word."));
    Outcome same = compare(three, asked.toArray(String[]::new));
    assertThat(same.code()).isEqualTo(2);
    assertThat(same.err()).contains("--prompt-suffix none differs");
    Path own = folder.resolve("own");
    Outcome outcome = compare(own, asked.toArray(String[]::new));
    assertThat(outcome.code()).isZero();
    assertThat(outcome.err()).contains("each is asked with: answer in one word.");
    assertThat(lines(own))
        .allMatch(line -> line.path("input").asText().endsWith("?\nanswer in one word."));
    assertThat(Files.readString(own.resolve("index.html")))
        .contains("<dt>After each question</dt><dd>answer in one word.</dd>");
    assertThat(json(own.resolve("summary.json")).path("run").path("promptSuffix").asText())
        .isEqualTo("answer in one word.");
  }

  @Test
  void aFolderWithOtherThingsIsLeftAlone() throws IOException {
    Files.writeString(folder.resolve("mine.txt"), "mine");
    Outcome outcome = compare(folder, "--limit", "3");
    assertThat(outcome.code()).isEqualTo(2);
    assertThat(outcome.err()).contains("is a folder with other things in it");
    assertThat(folder.toFile().list()).containsExactly("mine.txt");
  }

  @Test
  void recordsThatCannotBeUsedAreSaid() throws IOException {
    Files.copy(Path.of("../images/scene-01.png"), folder.resolve("good.png"));
    Path data = folder.resolve("mine.jsonl");
    Files.writeString(
        data,
        """
        {"image":"good.png","question":"what color is the circle?","answer":"red"}
        {"image":"good.png","answer":"red"}
        """);
    String[] words = {"--strategies", "", "--keep", "0.5", "--seeds", "1", "--timed", "0"};
    List<String> arguments = new ArrayList<>(List.of("compare", "--data", data.toString()));
    arguments.addAll(List.of("--out", folder.resolve("report").toString()));
    arguments.addAll(List.of(words));
    Outcome outcome = run(arguments);
    assertThat(outcome.code()).as(outcome.err()).isZero();
    assertThat(outcome.err())
        .contains(
            "JSON lines format, 1 questions, 1 records that cannot be used (the first: 2:",
            "record 2 cannot be used: ");
  }

  @Test
  void answersABudgetInOneLine() {
    Outcome holds =
        compare(
            three, "--limit", "3", "--timed", "0", "--budget", "flops<=0.9", "--max-drop", "100");
    assertThat(holds.code()).isZero();
    assertThat(holds.out().lines()).singleElement().asString().startsWith("resize:keep=0.1: ");
    Outcome not = compare(three, "--limit", "3", "--timed", "0", "--budget", "flops<=0.001");
    assertThat(not.code()).isEqualTo(1);
    assertThat(not.out().lines())
        .singleElement()
        .isEqualTo(
            "nothing holds flops<=0.001 with at most 1 points lost; no setting costs so little");
    Outcome wrong = compare(three, "--budget", "time<=1");
    assertThat(wrong.code()).isEqualTo(2);
    assertThat(wrong.err()).contains("write flops, prefill, kv or tokens");
  }

  @Test
  void anOlderReportIsHeldAgainstIt() throws IOException {
    Path old = Files.createDirectory(folder.resolve("old"));
    Files.copy(three.resolve("summary.json"), old.resolve("summary.json"));
    Path now = folder.resolve("now");
    Outcome same = compare(now, "--limit", "3", "--timed", "0", "--baseline", old.toString());
    assertThat(same.code()).as(same.out()).isZero();
    assertThat(same.out().lines().limit(CELLS)).allMatch(line -> line.contains("(+0.00 points)"));
    assertThat(same.out().lines().skip(CELLS))
        .containsExactly(
            "%d of %d settings of the baseline compared, 0 worse".formatted(CELLS, CELLS));
    ObjectNode better = (ObjectNode) json(old.resolve("summary.json"));
    ObjectNode score =
        (ObjectNode) better.path("cells").get(CELLS - 1).path("scores").path("exact_match");
    score.put("value", score.path("value").doubleValue() + 0.05);
    new ObjectMapper().writeValue(old.resolve("summary.json").toFile(), better);
    Outcome worse = compare(now, "--limit", "3", "--timed", "0", "--baseline", old.toString());
    assertThat(worse.code()).isEqualTo(1);
    assertThat(worse.out().lines().filter(line -> line.endsWith("WORSE: accuracy"))).hasSize(1);
    Outcome allowed =
        compare(now, "--limit", "3", "--timed", "0", "--baseline", old.toString(), "--margin", "6");
    assertThat(allowed.code()).isZero();
    Outcome none = compare(now, "--baseline", folder.toString());
    assertThat(none.code()).isEqualTo(2);
    assertThat(none.err()).contains("holds no summary.json");
  }

  @Test
  void killedAndInterruptedItEndsInTheSameSummary() throws Exception {
    endsInTheSameSummary(6, 1, 1);
  }

  @Test
  @Tag("slow")
  void killedTwentyTimesItEndsInTheSameSummary() throws Exception {
    endsInTheSameSummary(120, 20, 16);
  }

  private void endsInTheSameSummary(int questions, int kills, int least) throws Exception {
    Path whole = folder.resolve("whole");
    Path killed = folder.resolve("killed");
    String[] more = {
      "--limit", Integer.toString(questions), "--timed", "0", "--workers", "2", "--threads", "1"
    };
    assertThat(compare(whole, more).code()).isZero();
    Random random = new Random(0);
    long before = 0;
    int grew = 0;
    for (int kill = 0; kill < kills; kill++) {
      Process process = answering(killed, more);
      Thread.sleep(random.nextInt(50));
      process.destroyForcibly().waitFor();
      long after = size(killed.resolve("results.jsonl"));
      grew += after > before ? 1 : 0;
      before = after;
    }
    assertThat(grew).as("kills that came while answers were written").isGreaterThanOrEqualTo(least);
    Process interrupted = answering(killed, more);
    interrupted.toHandle().destroy();
    assertThat(interrupted.waitFor()).isNotZero();
    assertThat(folder.resolve("said.txt")).content().contains("stopped; what is done is kept in");
    assertThat(Files.readString(killed.resolve("results.jsonl"))).endsWith("}\n");
    assertThat(lines(killed)).hasSizeLessThan(questions * CELLS);
    assertThat(json(killed.resolve("run.json"))).isEqualTo(json(whole.resolve("run.json")));
    assertThat(killed.resolve("summary.json")).doesNotExist();
    assertThat(compare(killed, more).code()).isZero();
    assertThat(still(killed)).isEqualTo(still(whole));
    assertThat(lines(killed)).hasSameSizeAs(lines(whole));
  }

  /** A process that has written an answer more than there were. */
  private Process answering(Path out, String... more) throws IOException, InterruptedException {
    Path results = out.resolve("results.jsonl");
    long begun = size(results);
    Process process = start(out, more);
    long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(5);
    while (process.isAlive() && size(results) <= begun && System.nanoTime() < end) {
      Thread.sleep(5);
    }
    return process;
  }

  private Process start(Path out, String... more) throws IOException {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "@../../models/fixtures/java.args",
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                SquintCommand.class.getName()));
    arguments.addAll(command(out, more));
    return new ProcessBuilder(arguments)
        .redirectErrorStream(true)
        .redirectOutput(folder.resolve("said.txt").toFile())
        .start();
  }

  private static long size(Path file) throws IOException {
    return Files.exists(file) ? Files.size(file) : 0;
  }
}
