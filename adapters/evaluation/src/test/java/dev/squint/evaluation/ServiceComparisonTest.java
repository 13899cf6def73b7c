package dev.squint.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.Answer;
import dev.squint.DataException;
import dev.squint.Squint;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.evaluation.compare.BudgetRule;
import dev.squint.evaluation.compare.Comparison;
import dev.squint.evaluation.compare.ComparisonBuilder;
import dev.squint.evaluation.data.DataSet;
import dev.squint.evaluation.data.DataSets;
import dev.squint.evaluation.data.MediaSource;
import dev.squint.evaluation.data.SampleData;
import dev.squint.evaluation.report.Summary;
import dev.squint.image.ImageInput;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Services that answer questions, evaluated as models are. */
class ServiceComparisonTest {

  private static final Path ROOT = Path.of("").toAbsolutePath().getParent().getParent();

  @TempDir private Path folder;

  private DataSet data() throws IOException {
    return DataSets.read(
        Files.writeString(
            folder.resolve("mine.csv"),
            """
            id,image,question,answer
            a,a.png,how many shapes?,2
            b,b.png,how many shapes?,3
            c,c.png,what color?,red
            d,d.png,what color?,blue
            """));
  }

  private ComparisonBuilder service(String version, Answerer answerer) throws IOException {
    return Comparison.of(data())
        .service("mine", version, answerer)
        .workers(2)
        .output(folder.resolve("report"));
  }

  private static Summary run(ComparisonBuilder plan) {
    return plan.build().run().orElseThrow();
  }

  @Test
  void aServiceWithoutTracesIsScored() throws IOException {
    Set<String> asked = ConcurrentHashMap.newKeySet();
    Answerer service =
        request -> {
          assertThat(request.strategy().name()).isEqualTo("none");
          asked.add(request.sample().id());
          return Answerer.Reply.of(request.sample().question().startsWith("how") ? "2" : "Red.");
        };
    Summary summary = run(service("1", service).timedRequests(3));
    assertThat(asked).containsExactlyInAnyOrder("a", "b", "c", "d");
    assertThat(summary.configs()).singleElement();
    Summary.RunSummary config = summary.configs().get(0);
    assertThat(config.scores().get("exact_match").correct()).isEqualTo(2);
    assertThat(config.cost()).isEmpty();
    assertThat(config.measured()).isEmpty();
    assertThat(summary.notes())
        .containsExactly("FLOPs, times and memory are not known: the answers came without a trace");
    assertThat(folder.resolve("report").toFile().list())
        .containsExactlyInAnyOrder("run.json", "results.jsonl", "summary.json", "summary.csv");
    asked.clear();
    assertThat(run(service("1", service)).configs()).isEqualTo(summary.configs());
    assertThat(asked).as("asked again").isEmpty();
    assertThatThrownBy(() -> run(service("2", service)))
        .isInstanceOf(SettingException.class)
        .hasMessageContaining("holds another comparison (model mine differs)");
    assertThatThrownBy(() -> BudgetRule.parse("flops<=0.5", 1).say(summary))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("what the answers cost is not known");
  }

  @Test
  void whatAServiceThrowsFailsThatQuestionOnly() throws IOException {
    Summary summary =
        run(
            service(
                "1",
                request -> {
                  if (request.sample().id().equals("b")) {
                    throw new IllegalStateException("503 of the service");
                  }
                  return Answerer.Reply.of("2");
                }));
    assertThat(summary.run().questions()).isEqualTo(3);
    assertThat(summary.configs().get(0).errors()).isEqualTo(1);
    assertThat(summary.notes())
        .anyMatch(
            note -> note.startsWith("1 of 4 questions") && note.endsWith("503 of the service"));
    assertThat(folder.resolve("report/results.jsonl")).content().contains("503 of the service");
  }

  @Test
  void aServiceAroundSquintGetsTheWholeReport() {
    try (Squint squint = Squint.load();
        SampleData scenes = SampleData.open()) {
      Answerer service =
          request -> {
            Path image = ((MediaSource.ImageFile) request.sample().medium()).file();
            Answer answer =
                squint.ask(
                    ImageInput.of(image),
                    request.sample().question(),
                    request.strategy(),
                    GenerationOptions.builder()
                        .maxNewTokens(request.maxNewTokens())
                        .seed(request.seed())
                        .build());
            return new Answerer.Reply(answer.text(), Optional.of(answer.trace()));
          };
      Summary summary =
          run(
              Comparison.of(scenes.read())
                  .service("around", "1", service)
                  .specs("fastv:k=2")
                  .keep(0.1)
                  .seeds(1)
                  .limit(4)
                  .timedRequests(1)
                  .output(folder.resolve("report")));
      assertThat(summary.configs())
          .extracting(Summary.RunSummary::id)
          .containsExactly(
              "none", "random:keep=0.1 seed 0", "uniform:keep=0.1", "fastv:k=2,keep=0.1");
      assertThat(summary.configs())
          .allMatch(config -> config.cost().isPresent() && config.measured().isPresent());
      assertThat(summary.configs().get(3).cost().orElseThrow().prefillLeft()).isLessThan(0.7);
      assertThat(folder.resolve("report/index.html")).isNotEmptyFile();
      assertThat(folder.resolve("report/pareto.png")).isNotEmptyFile();
    }
  }

  @Test
  void theDocumentedProgramIsTheCompiledOneAndRuns() throws IOException {
    String docs = Files.readString(ROOT.resolve("docs/compare.md"));
    int start = docs.indexOf("```java\n", docs.indexOf("## Evaluate your own service")) + 8;
    String shown = docs.substring(start, docs.indexOf("```", start));
    String source =
        Files.readString(Path.of("src/test/java/dev/squint/evaluation/OwnServiceExample.java"));
    String compiled =
        source
            .substring(source.indexOf("  public static void main"), source.lastIndexOf("}\n"))
            .stripTrailing()
            .stripIndent();
    assertThat(shown.strip()).isEqualTo(compiled.strip());
    data();
    PrintStream before = System.out;
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
    try {
      OwnServiceExample.main(
          new String[] {folder.resolve("mine.csv").toString(), folder.resolve("own").toString()});
    } finally {
      System.setOut(before);
    }
    assertThat(out.toString(StandardCharsets.UTF_8)).contains("correct=1.0, total=4");
  }
}
