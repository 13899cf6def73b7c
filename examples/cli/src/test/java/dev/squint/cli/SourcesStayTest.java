package dev.squint.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.squint.Squint;
import dev.squint.cli.torture.WorkFolder;
import dev.squint.evaluation.search.ScheduleTarget;
import dev.squint.fixtures.FileSums;
import dev.squint.fixtures.Share;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** No command changes a file that it reads, even if it is told to write there. */
class SourcesStayTest {

  private static final String QUESTION = "how many circles are there?";

  @TempDir static Path temp;

  private static Path sources;
  private static Map<String, String> before;

  private record Outcome(int code, String err) {}

  @BeforeAll
  static void copies() throws IOException {
    sources = temp.resolve("sources");
    String answer;
    try (Squint squint = Squint.load()) {
      WorkFolder.copy(squint.folder(), sources.resolve("model"));
      answer = squint.ask(Path.of("../images/scene-01.png"), QUESTION).text();
    }
    Path data = sources.resolve("data");
    Files.createDirectories(data.resolve("images"));
    Files.copy(Path.of("../images/scene-01.png"), sources.resolve("image.png"));
    Files.copy(Path.of("../images/scene-01.png"), data.resolve("images/1.png"));
    Files.writeString(
        data.resolve("questions.json"), "[[\"%s\", \"%s\", 1]]".formatted(QUESTION, answer));
    Files.writeString(sources.resolve("notes.txt"), "4 0.5\nbuy milk\n");
    Files.createLink(temp.resolve("hard.png"), sources.resolve("image.png"));
    Files.createSymbolicLink(temp.resolve("soft.png"), sources.resolve("image.png"));
    Files.createSymbolicLink(temp.resolve("soft.txt"), sources.resolve("notes.txt"));
    Files.createSymbolicLink(temp.resolve("report"), data);
    before = FileSums.of(sources);
  }

  @AfterEach
  void nothingIsChanged() throws IOException {
    assertThat(FileSums.of(sources)).isEqualTo(before);
    assertThat(temp.resolve("hard.png")).hasSameBinaryContentAs(Path.of("../images/scene-01.png"));
  }

  /**
   * Runs a line in which {@code TEMP} and {@code SRC} stand for the folders, and {@code TIMED} for
   * the requests that are timed, in this process and others, which only {@code -Pfull} does.
   */
  private static Outcome run(String line) {
    String[] arguments = line.split(" ");
    for (int i = 0; i < arguments.length; i++) {
      arguments[i] =
          arguments[i]
              .replace("TEMP", temp.toString())
              .replace("SRC", sources.toString())
              .replace("TIMED", Share.isWhole() ? "1" : "0")
              .replace("QUESTION", QUESTION);
    }
    StringWriter err = new StringWriter();
    CommandLine command = SquintCommand.commandLine();
    command.setOut(new PrintWriter(new StringWriter())).setErr(new PrintWriter(err));
    return new Outcome(command.execute(arguments), err.toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ask SRC/image.png QUESTION --model SRC/model --strategy fastv --overlay TEMP/o.png",
        "caption SRC/image.png --model SRC/model --max-new-tokens 2 --overlay TEMP/o.png",
        "strategies",
        "strategies fastv",
        "inspect SRC/model",
        "inspect SRC/model --json",
        "inspect SRC/model/onnx/vision_encoder.onnx",
        "split SRC/model --at 2 -o TEMP/split",
        "split SRC/model --at 2 -o TEMP/split --force",
        "split SRC/model --at 2 -o TEMP/copied --copy",
        "split SRC/model --at 2,3 -o TEMP/copied --copy --force",
        "search --data SRC/data --model SRC/model -o TEMP/found.txt --layers 3 --max-drop 100",
        "compare --data SRC/data --model SRC/model -o TEMP/compared --strategies fastv --keep 0.5"
            + " --seeds 1 --timed TIMED"
      })
  void whatIsReadStays(String line) {
    Outcome outcome = run(line);
    assertThat(outcome.code()).as(outcome.err()).isZero();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ask SRC/image.png QUESTION --model SRC/model --overlay SRC/image.png",
        "ask SRC/image.png QUESTION --model SRC/model --overlay SRC/model/../image.png",
        "ask SRC/image.png QUESTION --overlay TEMP/hard.png",
        "ask TEMP/hard.png QUESTION --overlay SRC/image.png",
        "ask TEMP/soft.png QUESTION --overlay SRC/image.png",
        "caption SRC/image.png --overlay TEMP/soft.png",
        "ask SRC/image.png QUESTION --overlay SRC/model/onnx/decoder_model_merged.onnx",
        "split SRC/model --at 2 -o SRC/model",
        "split SRC/model --at 2 -o SRC/model/onnx --force",
        "split SRC/model --at 2 -o SRC/data --force",
        "split SRC/model --at 2 -o SRC --force",
        "split SRC/model --at 2 -o SRC/notes.txt --force",
        "search --data SRC/data --model SRC/model -o SRC/data/questions.json",
        "search --data SRC/data --model SRC/model -o SRC/data/images/1.png",
        "search --data SRC/data --model SRC/model -o SRC/model/config.json",
        "search --data SRC/data --model SRC/model -o SRC/model/onnx/decoder_model_merged.onnx",
        "search --data SRC/data --model SRC/model -o SRC/notes.txt",
        "search --data SRC/data --model SRC/model -o TEMP/soft.txt",
        "search --data SRC/data --model SRC/model -o /dev/null",
        "compare --data SRC/data --model SRC/model -o SRC/model --timed 0",
        "compare --data SRC/data --model SRC/model -o SRC/data --timed 0",
        "compare --data SRC/data --model SRC/model -o TEMP/report --timed 0",
        "compare --data SRC/data --model SRC/model -o SRC/image.png --timed 0",
      })
  void whatIsReadIsNotWrittenTo(String line) {
    Outcome outcome = run(line);
    assertThat(outcome.code()).as(outcome.err()).isEqualTo(2);
    assertThat(outcome.err().lines().filter(said -> said.startsWith("squint: "))).hasSize(1);
  }

  @Test
  void aSplitThatIsRemovedTakesNoWeightsAlong() throws IOException {
    assertThat(run("split SRC/model --at 4 -o TEMP/linked").code()).isZero();
    try (Stream<Path> files = Files.list(temp.resolve("linked"))) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
  }

  @Test
  void aScheduleReplacesASchedule() throws IOException {
    Path schedule = Files.writeString(temp.resolve("schedule.txt"), "# found\n4 0.5\n");
    assertThat(new ScheduleTarget(schedule).file()).isEqualTo(schedule);
    Path empty = Files.createFile(temp.resolve("empty.txt"));
    assertThat(new ScheduleTarget(empty).file()).isEqualTo(empty);
  }
}
