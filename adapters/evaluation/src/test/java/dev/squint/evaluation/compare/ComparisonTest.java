package dev.squint.evaluation.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.squint.Squint;
import dev.squint.engine.options.ModelOptions;
import dev.squint.evaluation.SettingException;
import dev.squint.evaluation.data.DataSet;
import dev.squint.evaluation.data.DataSets;
import dev.squint.evaluation.data.MediaSource;
import dev.squint.evaluation.data.SampleData;
import dev.squint.evaluation.report.Summary;
import dev.squint.pruning.Strategies;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Comparisons on the embedded model. */
class ComparisonTest {

  private static final int CONFIGURATIONS = 1 + 2 * 2 + 2 + 2 + 2 + 2 + 1;
  private static final ModelOptions OPTIONS = ModelOptions.defaults();
  private static final String COSTS =
      "costs-cpu-%d.jsonl".formatted(Runtime.getRuntime().availableProcessors());

  private static final int QUESTIONS = 6;

  private static SampleData scenes;
  private static DataSet data;
  private static Squint squint;

  @TempDir private static Path once;

  @TempDir private Path folder;

  @BeforeAll
  static void load() {
    scenes = SampleData.open();
    data = scenes.read();
    squint = Squint.load(OPTIONS);
    run(few(once, QUESTIONS).workers(2));
  }

  @AfterAll
  static void close() {
    squint.close();
    scenes.close();
  }

  private static ComparisonBuilder on(DataSet set, Path out) {
    return Comparison.of(set).model(squint, OPTIONS).output(out);
  }

  private static ComparisonBuilder few(Path out, int limit) {
    return on(data, out)
        .specs("fastv:k=2", "fastervlm", "prumerge")
        .keep(0.5, 0.1)
        .seeds(2)
        .limit(limit);
  }

  private static Summary run(ComparisonBuilder plan) {
    return plan.build().run().orElseThrow();
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

  @Test
  void resizedImagesCostFewerTokensInTheTowerToo() throws IOException {
    JsonNode cells = json(once.resolve("summary.json")).path("cells");
    JsonNode whole = cells.get(0);
    for (JsonNode cell : cells) {
      if (cell.path("id").asText().equals("resize:keep=0.5")) {
        assertThat(cell.path("cost").path("keptTokens").intValue()).isEqualTo(272);
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
    double width;
    double inner;
    try (InputStream config = ModelOptions.class.getResourceAsStream("/squint-tiny/config.json")) {
      JsonNode text = new ObjectMapper().readTree(config).path("text_config");
      width = text.path("hidden_size").doubleValue();
      inner = text.path("intermediate_size").doubleValue();
    }
    Map<String, double[]> left = new HashMap<>();
    for (JsonNode line : lines(once)) {
      if (line.path("cell").asText().equals("fastv:k=2,keep=0.1")) {
        int prompt = line.path("prompt_tokens").intValue();
        left.merge("fastv", flops(prompt, prompt - 518, 2, width, inner), ComparisonTest::plus);
        left.merge("sparsevlm", flops(prompt, prompt - 518, 3, width, inner), ComparisonTest::plus);
        left.merge("pyramiddrop", flops(576, 58, 3, width, inner), ComparisonTest::plus);
        left.merge("fastervlm", flops(576, 58, 3, width, inner), ComparisonTest::plus);
      }
    }
    JsonNode paper = null;
    for (JsonNode cell : json(once.resolve("summary.json")).path("cells")) {
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
  private static double[] flops(double all, double kept, int matrices, double d, double m) {
    double whole = 4 * all * d * d + 2 * all * all * d + matrices * all * d * m;
    double pruned = 4 * kept * d * d + 2 * kept * kept * d + matrices * kept * d * m;
    return new double[] {2 * whole + 6 * pruned, 8 * whole};
  }

  private static double[] plus(double[] a, double[] b) {
    return new double[] {a[0] + b[0], a[1] + b[1]};
  }

  @Test
  void anyTwoConfigurationsAreComparedOnTheSameQuestions() throws IOException {
    Map<String, Set<String>> right = new HashMap<>();
    for (JsonNode line : lines(once)) {
      Set<String> own = right.computeIfAbsent(line.path("cell").asText(), id -> new HashSet<>());
      if (line.path("exact_match").intValue() == 1) {
        own.add(line.path("doc_id").asText());
      }
    }
    JsonNode summary = json(once.resolve("summary.json"));
    JsonNode discordant = summary.path("discordant");
    assertThat(discordant.path("cells")).hasSize(CONFIGURATIONS);
    int apart = 0;
    for (int i = 0; i < CONFIGURATIONS; i++) {
      for (int j = 0; j < CONFIGURATIONS; j++) {
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
    run(few(grown, 2));
    List<JsonNode> first = lines(grown);
    run(few(grown, QUESTIONS));
    assertThat(lines(grown))
        .hasSize(QUESTIONS * CONFIGURATIONS)
        .startsWith(first.toArray(JsonNode[]::new));
    assertThat(still(grown)).isEqualTo(still(once));
    Recorder again = new Recorder();
    run(few(once, QUESTIONS).listener(again));
    assertThat(again.tasks).doesNotContain("answers");
    assertThat(again.steps).hasValue(0);
  }

  /** And steps are those that were promised. */
  @Test
  void aStrategyThatComesLaterIsTimedNextToTheUnprunedModel() throws IOException {
    Path out = folder.resolve("report");
    Recorder told = new Recorder();
    run(on(data, out).keep(0.1).seeds(1).limit(4).timedRequests(1).listener(told));
    assertThat(told.tasks).containsExactly("trying", "answers", "timing", "load");
    assertThat(told.steps).hasValue(told.promised.get());
    assertThat(told.failures).hasValue(0);
    run(on(data, out).specs("fastervlm").keep(0.1).seeds(1).limit(4).timedRequests(1));
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
    run(on(data, out).specs("fastervlm").keep(0.1).seeds(1).limit(4));
    assertThat(json(out.resolve("summary.json")).path("cells")).isEqualTo(before.path("cells"));
    assertThat(out.resolve("speedup.png")).exists();
  }

  @Test
  void moreConfigurationsThanSplitsStayLoadedAnswerAllQuestions() throws IOException {
    Path out = folder.resolve("report");
    ModelOptions few = ModelOptions.builder().maxCachedSplits(3).build();
    try (Squint own = Squint.load(few)) {
      run(
          Comparison.of(data)
              .model(own, few)
              .output(out)
              .specs("fastv:k=2", "fastv:k=3", "fastv:k=4", "fastv:k=5")
              .keep(0.5)
              .seeds(1)
              .limit(2));
    }
    assertThat(lines(out)).hasSize(2 * (1 + 3 + 4));
    assertThat(json(out.resolve("summary.json")).path("run").path("questions").intValue())
        .isEqualTo(2);
  }

  @Test
  void whatFailsIsReportedAndCounted() throws IOException {
    Path data = Files.createDirectories(folder.resolve("data"));
    try (SampleData sample = SampleData.open()) {
      Path image = ((MediaSource.ImageFile) sample.read().samples().get(0).medium()).file();
      Files.copy(image, data.resolve("good.png"));
    }
    Files.writeString(data.resolve("broken.png"), "no image");
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
    Recorder told = new Recorder();
    DataSet read = DataSets.read(data);
    assertThat(read.skippedInWords()).startsWith("1 records that cannot be used (the first: 5: ");
    run(failing(read, out).listener(told));
    assertThat(told.sentences)
        .anyMatch(said -> said.startsWith("fastv:k=40,keep=0.5 did not run: "))
        .anyMatch(said -> said.matches("3 of 5 questions are left out .*, the first: \\S+.*"))
        .anyMatch(said -> said.startsWith("record 5 cannot be used: "));
    assertThat(told.failures).hasValue(15);
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
    run(failing(read, out));
    assertThat(lines(out)).as("the same failures are not written twice").hasSize(before);
    try (SampleData sample = SampleData.open()) {
      Files.copy(
          ((MediaSource.ImageFile) sample.read().samples().get(0).medium()).file(),
          data.resolve("missing.png"));
    }
    run(failing(DataSets.read(data), out));
    assertThat(json(out.resolve("summary.json")).path("run").path("questions").intValue())
        .as("a fixed image is asked about")
        .isEqualTo(3);
  }

  private static ComparisonBuilder failing(DataSet read, Path out) {
    return on(read, out).specs("fastv:k=40", "fastervlm").keep(0.5).seeds(1);
  }

  @Test
  void strategyObjectsAnswerAsTheirSpecsDo() throws IOException {
    Path specs = folder.resolve("specs");
    Path objects = folder.resolve("objects");
    run(on(data, specs).specs("fastv:k=2", "prumerge").keep(0.1).seeds(1).limit(4));
    Summary summary =
        run(
            on(data, objects)
                .strategy("fastv:k=2", keep -> Strategies.parse("fastv:k=2,keep=" + keep))
                .strategy(Strategies.parse("prumerge"))
                .keep(0.1)
                .seeds(1)
                .limit(4));
    assertThat(answers(objects)).isEqualTo(answers(specs));
    assertThat(summary.configs()).hasSize(6);
  }

  private static List<String> answers(Path report) throws IOException {
    return lines(report).stream()
        .map(line -> line.path("doc_id").asText() + line.path("resps") + line.path("kept_tokens"))
        .sorted()
        .toList();
  }

  @Test
  void aRunThatIsToldToStopEndsBetweenTwoQuestions() throws IOException {
    Path out = folder.resolve("report");
    AtomicInteger looks = new AtomicInteger();
    Recorder told = new Recorder();
    Optional<Summary> stopped =
        few(out, QUESTIONS)
            .stopWhen(() -> looks.incrementAndGet() > 40)
            .listener(told)
            .build()
            .run();
    assertThat(stopped).isEmpty();
    assertThat(lines(out)).hasSizeBetween(CONFIGURATIONS, 40);
    assertThat(out.resolve("summary.json")).doesNotExist();
    run(few(out, QUESTIONS));
    assertThat(still(out)).isEqualTo(still(once));
  }

  @Test
  void settingsAreCheckedWhenTheyAreGiven() {
    assertThatThrownBy(() -> few(folder, 0))
        .isInstanceOf(SettingException.class)
        .hasMessage("limit 0 leaves no question; choose 1 or more")
        .extracting(e -> ((SettingException) e).message(setting -> "--" + setting))
        .isEqualTo("--limit 0 leaves no question; choose 1 or more");
    assertThatThrownBy(() -> Comparison.of(data).workers(0)).hasMessageContaining("asks nothing");
    assertThatThrownBy(() -> Comparison.of(data).workers(257)).hasMessageContaining("1 to 256");
    assertThatThrownBy(() -> Comparison.of(data).keep()).hasMessageContaining("keep is empty");
    assertThatThrownBy(() -> Comparison.of(data).maxNewTokens(0)).hasMessageContaining("no room");
    assertThatThrownBy(() -> Comparison.of(data).timedRequests(-1))
        .hasMessageContaining("0 or more");
    assertThatThrownBy(() -> Comparison.of(data).output(folder).build())
        .hasMessageContaining("give a model or a service");
    assertThatThrownBy(() -> Comparison.of(data).build()).hasMessageContaining("name a folder");
  }

  @Test
  void whereNoStrategyCanRunTheReasonIsSaid() {
    assertThatThrownBy(() -> run(on(data, folder.resolve("report")).specs("fastv:k=40").limit(2)))
        .hasMessageStartingWith("none of the strategies can run on ")
        .hasMessageContaining("the decoder has 8 layers");
  }
}
