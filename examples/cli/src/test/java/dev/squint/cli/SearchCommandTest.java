package dev.squint.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.squint.Squint;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.evaluation.data.DataSets;
import dev.squint.evaluation.data.MediaSource;
import dev.squint.evaluation.data.Sample;
import dev.squint.image.ImageInput;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.schedules.ScheduleFile;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** A search on the embedded model, which has to see what the images show. */
class SearchCommandTest {

  /** Scene, question and what the image shows. */
  private static final List<List<String>> QUESTIONS =
      List.of(
          List.of("1", "what color is the circle left of the square?", "orange"),
          List.of("1", "what color is the square?", "orange"),
          List.of("2", "how many circles are there?", "2"),
          List.of("2", "what color is the square?", "green"));

  @TempDir static Path folder;

  private record Outcome(int code, String out, String err) {}

  @BeforeAll
  static void questions() throws IOException {
    Files.createDirectories(folder.resolve("images"));
    List<List<Object>> rows = new ArrayList<>();
    for (String scene : List.of("1", "2")) {
      Files.copy(
          Path.of("../images", "scene-0" + scene + ".png"),
          folder.resolve("images").resolve(scene + ".png"));
    }
    for (List<String> asked : QUESTIONS) {
      rows.add(List.of(asked.get(1), asked.get(2), Integer.parseInt(asked.get(0))));
    }
    new ObjectMapper().writeValue(folder.resolve("questions.json").toFile(), rows);
  }

  private static Outcome search(Path out, String... more) {
    List<String> arguments =
        new ArrayList<>(List.of("search", "--data", folder.toString(), "-o", out.toString()));
    arguments.addAll(List.of(more));
    return run(arguments.toArray(String[]::new));
  }

  private static Outcome run(String... arguments) {
    StringWriter printed = new StringWriter();
    StringWriter err = new StringWriter();
    CommandLine line = SquintCommand.commandLine();
    line.setOut(new PrintWriter(printed)).setErr(new PrintWriter(err));
    int code = line.execute(arguments);
    return new Outcome(code, printed.toString(), err.toString());
  }

  private static void assertRefused(String part, Path out, String... more) {
    Outcome outcome = search(out, more);
    assertThat(outcome.code()).isEqualTo(2);
    assertThat(outcome.err().lines()).singleElement().asString().contains(part);
  }

  @Test
  void writesAScheduleThatLosesNothing(@TempDir Path target) throws IOException {
    Path out = target.resolve("found.txt");
    Outcome outcome = search(out, "--layers", "5,2", "--max-drop", "0");
    assertThat(outcome.code()).as(outcome.err()).isZero();
    assertThat(outcome.err())
        .contains("4 questions", "unpruned: 4 of 4 questions right; a schedule needs 4")
        .containsPattern(
            "layer 2: 288 tokens are (enough|too few); at most \\d+:\\d\\d:\\d\\d left");
    assertThat(outcome.out()).contains("--strategy layerwise:score=last,file=" + out);
    ScheduleFile found = ScheduleFile.read(out.toString());
    assertThat(List.of(2, 5)).containsAll(found.layers());
    try (Stream<Path> files = Files.list(target)) {
      assertThat(files).containsExactly(out);
    }
    try (Squint squint = Squint.load()) {
      for (Sample sample : DataSets.read(folder).samples()) {
        String answer =
            squint
                .ask(
                    ImageInput.of(((MediaSource.ImageFile) sample.medium()).file()),
                    sample.question(),
                    Strategies.parse("layerwise:file=" + out),
                    GenerationOptions.defaults())
                .text();
        assertThat(sample.answers()).as(sample.question()).containsExactly(answer);
      }
    }
  }

  @Test
  void noPointToLoseIsSaid(@TempDir Path target) {
    Path out = target.resolve("found.txt");
    Outcome outcome = search(out, "--layers", "3", "--limit", "2", "--seed", "5");
    assertThat(outcome.code()).as(outcome.err()).isZero();
    assertThat(outcome.err()).contains("one question of 2 weighs 50.0 points");
    assertThat(out).isNotEmptyFile();
  }

  @Test
  void whatCannotBeSearchedIsRefusedInOneSentence(@TempDir Path target) {
    Path out = target.resolve("found.txt");
    assertRefused("--max-drop 101.0", out, "--max-drop", "101");
    assertRefused("--limit 0", out, "--limit", "0");
    assertRefused("did you mean 'last'?", out, "--score", "lst");
    assertRefused("choose 1..7", out, "--layers", "8");
    assertRefused("create it first", target.resolve("no").resolve("found.txt"));
    assertRefused("name another file", target.resolve("a,b.txt"));
    assertRefused("that is no file", target);
    String nowhere = target.toString();
    Outcome other = run("search", "--data", nowhere, "-o", out.toString());
    assertThat(other.code()).isEqualTo(2);
    assertThat(other.err().lines())
        .singleElement()
        .asString()
        .contains("no questions of a known format");
    assertThat(target).isEmptyDirectory();
  }

  @Test
  void aSearchThatIsStoppedLeavesNothing(@TempDir Path target) throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "@../../models/fixtures/java.args",
                "-cp",
                System.getProperty("java.class.path"),
                SquintCommand.class.getName(),
                "search",
                "--data",
                folder.toString(),
                "-o",
                target.resolve("found.txt").toString())
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    try (BufferedReader err = process.errorReader()) {
      assertThat(err.lines().anyMatch(line -> line.startsWith("layer "))).isTrue();
      process.destroy();
      assertThat(process.waitFor()).isNotZero();
    } finally {
      process.destroyForcibly();
    }
    assertThat(target).isEmptyDirectory();
  }
}
