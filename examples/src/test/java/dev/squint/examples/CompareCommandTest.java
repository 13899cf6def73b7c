package dev.squint.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.squint.examples.data.Medium;
import dev.squint.examples.data.SampleData;
import dev.squint.models.ModelOptions;
import java.io.IOException;
import java.io.InputStream;
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
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** Comparisons on the embedded model. */
class CompareCommandTest {

  private static final String[] FEW = {
    "--strategies", "fastv:k=2; fastervlm; prumerge", "--keep", "0.5,0.1", "--seeds", "2"
  };
  private static final int CELLS = 1 + 2 * 2 + 2 + 2 + 2 + 2 + 1;

  @TempDir private Path folder;

  private static final String COSTS =
      "costs-cpu-%d.jsonl".formatted(Runtime.getRuntime().availableProcessors());

  private record Outcome(int code, String out, String err) {}

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
    int cells = 6;
    Outcome outcome =
        run(
            List.of(
                "compare",
                "--out",
                out.toString(),
                "--strategies",
                "fastv:k=2; prumerge",
                "--keep",
                "0.1",
                "--seeds",
                "1",
                "--limit",
                "12",
                "--timed",
                "2",
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
    assertThat(lines).hasSize(12 * cells);
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
      assertThat(score.path("total").intValue()).isEqualTo(12);
      assertThat(score.path("low").doubleValue())
          .isLessThanOrEqualTo(score.path("value").doubleValue());
      assertThat(cell.path("measured").path("requests").intValue()).isEqualTo(2);
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
  void resizedPicturesCostFewerTokensInTheTowerToo() throws IOException {
    Path out = folder.resolve("report");
    assertThat(compare(out, "--limit", "4", "--timed", "0").code()).isZero();
    JsonNode cells = json(out.resolve("summary.json")).path("cells");
    JsonNode whole = cells.get(0);
    for (JsonNode cell : cells) {
      if (cell.path("id").asText().equals("resize:keep=0.5")) {
        assertThat(cell.path("cost").path("keptTokens").intValue()).isEqualTo(72);
        assertThat(cell.path("cost").path("visionFlops").doubleValue())
            .isLessThan(0.55 * whole.path("cost").path("visionFlops").doubleValue());
        return;
      }
    }
    throw new AssertionError("no cell resizes");
  }

  /** The formulas as the papers print them, over the token counts of the lines. */
  @Test
  void flopsRatiosAreThoseOfThePapers() throws IOException {
    Path out = folder.resolve("report");
    assertThat(compare(out, "--limit", "8", "--timed", "0").code()).isZero();
    double width;
    double inner;
    try (InputStream config = ModelOptions.class.getResourceAsStream("squint-tiny/config.json")) {
      JsonNode text = new ObjectMapper().readTree(config).path("text_config");
      width = text.path("hidden_size").doubleValue();
      inner = text.path("intermediate_size").doubleValue();
    }
    Map<String, double[]> left = new HashMap<>();
    for (JsonNode line : lines(out)) {
      if (line.path("cell").asText().equals("fastv:k=2,keep=0.1")) {
        int prompt = line.path("prompt_tokens").intValue();
        left.merge("fastv", cut(prompt, prompt - 130, 2, width, inner), CompareCommandTest::plus);
        left.merge(
            "sparsevlm", cut(prompt, prompt - 130, 3, width, inner), CompareCommandTest::plus);
        left.merge("pyramiddrop", cut(144, 14, 3, width, inner), CompareCommandTest::plus);
        left.merge("fastervlm", cut(144, 14, 3, width, inner), CompareCommandTest::plus);
      }
    }
    JsonNode paper = null;
    for (JsonNode cell : json(out.resolve("summary.json")).path("cells")) {
      if (cell.path("id").asText().equals("fastv:k=2,keep=0.1")) {
        paper = cell.path("cost").path("paperLeft");
      }
    }
    assertThat(left).hasSize(4);
    for (Map.Entry<String, double[]> entry : left.entrySet()) {
      assertThat(paper.path(entry.getKey()).doubleValue())
          .as(entry.getKey())
          .isCloseTo(entry.getValue()[0] / entry.getValue()[1], within(1e-12));
    }
  }

  /** FLOPs of 8 layers of which 2 run on all tokens, and of all 8 on all. */
  private static double[] cut(double all, double kept, int matrices, double d, double m) {
    double whole = 4 * all * d * d + 2 * all * all * d + matrices * all * d * m;
    double pruned = 4 * kept * d * d + 2 * kept * kept * d + matrices * kept * d * m;
    return new double[] {2 * whole + 6 * pruned, 8 * whole};
  }

  private static double[] plus(double[] a, double[] b) {
    return new double[] {a[0] + b[0], a[1] + b[1]};
  }

  @Test
  void anyTwoCellsAreComparedOnTheSameQuestions() throws IOException {
    Path out = folder.resolve("report");
    assertThat(compare(out, "--limit", "20", "--timed", "0", "--workers", "2").code()).isZero();
    Map<String, Set<String>> right = new HashMap<>();
    for (JsonNode line : lines(out)) {
      Set<String> own = right.computeIfAbsent(line.path("cell").asText(), id -> new HashSet<>());
      if (line.path("exact_match").intValue() == 1) {
        own.add(line.path("doc_id").asText());
      }
    }
    JsonNode summary = json(out.resolve("summary.json"));
    JsonNode discordant = summary.path("discordant");
    assertThat(discordant.path("cells")).hasSize(CELLS);
    int apart = 0;
    for (int i = 0; i < CELLS; i++) {
      for (int j = 0; j < CELLS; j++) {
        Set<String> wins = new HashSet<>(right.get(discordant.path("cells").get(i).asText()));
        wins.removeAll(right.get(discordant.path("cells").get(j).asText()));
        assertThat(discordant.path("wins").get(i).get(j).intValue()).isEqualTo(wins.size());
        apart += wins.size();
      }
      JsonNode against = summary.path("cells").get(i).path("against");
      assertThat(against.path("onlyUnpruned")).isEqualTo(discordant.path("wins").get(0).get(i));
      assertThat(against.path("onlyPruned")).isEqualTo(discordant.path("wins").get(i).get(0));
    }
    assertThat(apart).isPositive();
  }

  @Test
  void goesOnWhereItStoppedAndGrows() throws IOException {
    Path grown = folder.resolve("grown");
    Path once = folder.resolve("once");
    assertThat(compare(grown, "--limit", "5", "--timed", "0").code()).isZero();
    List<JsonNode> first = lines(grown);
    assertThat(compare(grown, "--limit", "15", "--timed", "0").code()).isZero();
    assertThat(lines(grown)).hasSize(15 * CELLS).startsWith(first.toArray(JsonNode[]::new));
    assertThat(compare(once, "--limit", "15", "--timed", "0", "--workers", "2").code()).isZero();
    assertThat(still(grown)).isEqualTo(still(once));
    Outcome again = compare(once, "--limit", "15", "--timed", "0");
    assertThat(again.err()).doesNotContain("answers [");
  }

  @Test
  void aStrategyThatComesLaterIsTimedBesideTheUnprunedModel() throws IOException {
    Path out = folder.resolve("report");
    List<String> small =
        List.of("--keep", "0.1", "--seeds", "1", "--limit", "4", "--out", out.toString());
    List<String> first = new ArrayList<>(List.of("compare", "--strategies", "", "--timed", "1"));
    first.addAll(small);
    assertThat(run(first).code()).isZero();
    List<String> second =
        new ArrayList<>(List.of("compare", "--strategies", "fastervlm", "--timed", "1"));
    second.addAll(small);
    assertThat(run(second).code()).isZero();
    List<String> timed = new ArrayList<>();
    for (String line : Files.readAllLines(out.resolve(COSTS))) {
      JsonNode node = new ObjectMapper().readTree(line);
      if (node.has("total_ms")) {
        timed.add(node.path("batch").asText() + " " + node.path("cell").asText());
      }
    }
    assertThat(timed)
        .containsExactlyInAnyOrder(
            "1 none",
            "1 random:keep=0.1 seed 0",
            "1 uniform:keep=0.1",
            "1 resize:keep=0.1",
            "2 none",
            "2 fastervlm:keep=0.1");
    JsonNode before = json(out.resolve("summary.json"));
    second.set(second.indexOf("--timed") + 1, "0");
    assertThat(run(second).code()).isZero();
    assertThat(json(out.resolve("summary.json")).path("cells")).isEqualTo(before.path("cells"));
    assertThat(out.resolve("speedup.png")).exists();
  }

  @Test
  void moreCellsThanCutsStayLoadedAnswerAllQuestions() throws IOException {
    Path out = folder.resolve("report");
    String keeps = String.join(",", IntStream.range(0, 43).mapToObj(i -> "0." + (10 + i)).toList());
    Outcome outcome =
        run(
            List.of(
                "compare",
                "--out",
                out.toString(),
                "--strategies",
                "",
                "--keep",
                keeps,
                "--seeds",
                "1",
                "--limit",
                "2",
                "--timed",
                "0"));
    assertThat(outcome.code()).as(outcome.err()).isZero();
    assertThat(lines(out)).hasSize(2 * (1 + 3 * 43));
    assertThat(json(out.resolve("summary.json")).path("run").path("questions").intValue())
        .isEqualTo(2);
  }

  @Test
  void anotherRunDoesNotMixIn() {
    Path out = folder.resolve("report");
    assertThat(compare(out, "--limit", "3", "--timed", "0").code()).isZero();
    Outcome other = compare(out, "--limit", "3", "--timed", "0", "--seed", "1");
    assertThat(other.code()).isEqualTo(2);
    assertThat(other.err())
        .contains("holds another comparison (--seed 0 differs); choose another --out");
  }

  @Test
  void questionsArePutAsOneSays() throws IOException {
    Path bare = folder.resolve("bare");
    String[] short3 = {"--limit", "3", "--timed", "0"};
    assertThat(compare(bare, short3).code()).isZero();
    assertThat(lines(bare)).noneMatch(line -> line.path("input").asText().contains("\n"));
    assertThat(Files.readString(bare.resolve("index.html")))
        .contains("each asked the same 3 of 240 questions, scored by exact_match.")
        .contains("(format of easy-VQA)")
        .contains("<dt>Behind each question</dt><dd>nothing</dd>");
    List<String> asked = new ArrayList<>(List.of(short3));
    asked.addAll(List.of("--prompt-suffix", "answer in one word."));
    Outcome same = compare(bare, asked.toArray(String[]::new));
    assertThat(same.code()).isEqualTo(2);
    assertThat(same.err()).contains("--prompt-suffix none differs");
    Path own = folder.resolve("own");
    Outcome outcome = compare(own, asked.toArray(String[]::new));
    assertThat(outcome.code()).isZero();
    assertThat(outcome.err()).contains("each is asked with: answer in one word.");
    assertThat(lines(own))
        .allMatch(line -> line.path("input").asText().endsWith("?\nanswer in one word."));
    assertThat(Files.readString(own.resolve("index.html")))
        .contains("<dt>Behind each question</dt><dd>answer in one word.</dd>");
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
  void whatFailsIsReportedAndCounted() throws IOException {
    Path data = Files.createDirectories(folder.resolve("data"));
    try (SampleData sample = SampleData.open()) {
      Path picture = ((Medium.ImageFile) sample.read().samples().get(0).medium()).file();
      Files.copy(picture, data.resolve("good.png"));
    }
    Files.writeString(data.resolve("broken.png"), "no picture");
    Files.writeString(
        data.resolve("mine.jsonl"),
        """
        {"image":"good.png","question":"what color is the circle?","answer":"red"}
        {"image":"broken.png","question":"what color is the circle?","answer":"red"}
        {"image":"missing.png","question":"what color is the circle?","answer":"red"}
        {"video":"clip.mp4","question":"what happens?","answer":"red"}
        {"image":"good.png","answer":"red"}
        {"image":"good.png","question":"how many shapes?","answer":"2"}
        """);
    Path out = folder.resolve("report");
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "compare",
                "--data",
                data.toString(),
                "--out",
                out.toString(),
                "--timed",
                "0",
                "--strategies",
                "fastv:k=40; fastervlm",
                "--keep",
                "0.5",
                "--seeds",
                "1"));
    Outcome outcome = run(arguments);
    assertThat(outcome.code()).as(outcome.err()).isZero();
    assertThat(outcome.err())
        .contains("JSON lines format, 5 questions, 1 records that cannot be used (the first: 5:")
        .contains("fastv:k=40,keep=0.5 did not run: ")
        .containsPattern("3 of 5 questions are left out .*, the first: \\S+")
        .contains("15 failed");
    JsonNode summary = json(out.resolve("summary.json"));
    assertThat(summary.path("run").path("questions").intValue()).isEqualTo(2);
    assertThat(summary.path("run").path("defects").intValue()).isEqualTo(1);
    for (JsonNode cell : summary.path("cells")) {
      if (cell.path("series").asText().equals("fastv:k=40")) {
        assertThat(cell.path("refused").asText()).contains("the decoder has 8 layers");
      } else {
        assertThat(cell.path("errors").intValue()).isEqualTo(3);
      }
    }
    List<String> reasons =
        lines(out).stream()
            .filter(line -> line.has("error"))
            .map(line -> line.path("error").asText())
            .toList();
    assertThat(reasons).hasSize(3 * 5);
    assertThat(reasons).anyMatch(reason -> reason.contains("is a video"));
    int before = lines(out).size();
    assertThat(run(arguments).code()).isZero();
    assertThat(lines(out)).as("the same failures are not written twice").hasSize(before);
    try (SampleData sample = SampleData.open()) {
      Files.copy(
          ((Medium.ImageFile) sample.read().samples().get(0).medium()).file(),
          data.resolve("missing.png"));
    }
    assertThat(run(arguments).code()).isZero();
    assertThat(json(out.resolve("summary.json")).path("run").path("questions").intValue())
        .as("a mended picture is asked about")
        .isEqualTo(3);
  }

  @Test
  void answersABudgetInOneLine() {
    Path out = folder.resolve("report");
    Outcome holds =
        compare(out, "--limit", "6", "--timed", "0", "--budget", "flops<=0.9", "--max-drop", "100");
    assertThat(holds.code()).isZero();
    assertThat(holds.out().lines()).singleElement().asString().startsWith("resize:keep=0.1: ");
    Outcome not = compare(out, "--limit", "6", "--timed", "0", "--budget", "flops<=0.001");
    assertThat(not.code()).isEqualTo(1);
    assertThat(not.out().lines())
        .singleElement()
        .isEqualTo(
            "nothing holds flops<=0.001 with at most 1 points lost; no setting costs so little");
    Outcome wrong = compare(out, "--budget", "time<=1");
    assertThat(wrong.code()).isEqualTo(2);
    assertThat(wrong.err()).contains("write flops, prefill, kv or tokens");
  }

  @Test
  void anOlderReportIsHeldAgainstIt() throws IOException {
    Path old = folder.resolve("old");
    Path now = folder.resolve("now");
    assertThat(compare(old, "--limit", "6", "--timed", "0").code()).isZero();
    Outcome same = compare(now, "--limit", "6", "--timed", "0", "--baseline", old.toString());
    assertThat(same.code()).as(same.out()).isZero();
    int settings = CELLS - 2;
    assertThat(same.out().lines().limit(settings))
        .allMatch(line -> line.contains("(+0.00 points)"));
    assertThat(same.out().lines().skip(settings))
        .containsExactly(
            "%d of %d settings of the baseline compared, 0 worse".formatted(settings, settings));
    ObjectNode better = (ObjectNode) json(old.resolve("summary.json"));
    ObjectNode score =
        (ObjectNode) better.path("cells").get(CELLS - 1).path("scores").path("exact_match");
    score.put("value", score.path("value").doubleValue() + 0.05);
    new ObjectMapper().writeValue(old.resolve("summary.json").toFile(), better);
    Outcome worse = compare(now, "--limit", "6", "--timed", "0", "--baseline", old.toString());
    assertThat(worse.code()).isEqualTo(1);
    assertThat(worse.out().lines().filter(line -> line.endsWith("WORSE: accuracy"))).hasSize(1);
    Outcome allowed =
        compare(now, "--limit", "6", "--timed", "0", "--baseline", old.toString(), "--margin", "6");
    assertThat(allowed.code()).isZero();
    Outcome none = compare(now, "--baseline", folder.toString());
    assertThat(none.code()).isEqualTo(2);
    assertThat(none.err()).contains("holds no summary.json");
  }

  @Test
  void killedTwentyTimesItEndsInTheSameSummary() throws Exception {
    Path whole = folder.resolve("whole");
    Path killed = folder.resolve("killed");
    String[] more = {"--limit", "60", "--timed", "0", "--workers", "2", "--threads", "1"};
    assertThat(compare(whole, more).code()).isZero();
    Random random = new Random(0);
    long before = 0;
    int grew = 0;
    for (int kill = 0; kill < 20; kill++) {
      Process process = start(killed, more);
      Path results = killed.resolve("results.jsonl");
      long begun = size(results);
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
      while (process.isAlive() && size(results) <= begun && System.nanoTime() < end) {
        Thread.sleep(5);
      }
      Thread.sleep(random.nextInt(150));
      process.destroyForcibly().waitFor();
      grew += size(results) > before ? 1 : 0;
      before = size(results);
    }
    assertThat(grew).as("kills that came while answers were written").isGreaterThan(15);
    assertThat(json(killed.resolve("run.json"))).isEqualTo(json(whole.resolve("run.json")));
    assertThat(killed.resolve("summary.json")).doesNotExist();
    assertThat(compare(killed, more).code()).isZero();
    assertThat(still(killed)).isEqualTo(still(whole));
    assertThat(lines(killed)).hasSameSizeAs(lines(whole));
  }

  @Test
  void anInterruptEndsBetweenTwoQuestions() throws Exception {
    Path out = folder.resolve("report");
    Process process = start(out, "--timed", "0", "--threads", "1");
    Path results = out.resolve("results.jsonl");
    while (process.isAlive() && size(results) == 0) {
      Thread.sleep(20);
    }
    process.toHandle().destroy();
    assertThat(process.waitFor()).isNotZero();
    assertThat(folder.resolve("said.txt")).content().contains("stopped; what is done is kept in");
    assertThat(Files.readString(results)).endsWith("}\n");
    assertThat(lines(out)).isNotEmpty();
  }

  private Process start(Path out, String... more) throws IOException {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
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
