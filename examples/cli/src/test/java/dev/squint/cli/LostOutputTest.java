package dev.squint.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.condition.OS.LINUX;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** An answer that nobody can get is an error. */
class LostOutputTest {

  private static final String ASK = "ask ../images/scene-01.png what? --max-new-tokens 2";
  private static final String COMPARE =
      "compare --out DIR/report --strategies fastv --keep 0.5 --seeds 1 --limit 1 --timed 0";

  @TempDir Path folder;

  private record Outcome(int code, String err) {}

  @BeforeEach
  void questions() throws IOException {
    Files.createDirectories(folder.resolve("images"));
    Files.copy(Path.of("../images/scene-01.png"), folder.resolve("images/1.png"));
    String question = "is there a circle?";
    List<List<Object>> rows = List.of(List.of(question, "yes", 1), List.of(question, "no", 1));
    new ObjectMapper().writeValue(folder.resolve("questions.json").toFile(), rows);
  }

  private Outcome run(OutputStream out, String command) {
    StringWriter err = new StringWriter();
    CommandLine line = SquintCommand.commandLine().setErr(new PrintWriter(err));
    int code =
        SquintCommand.run(
            line, new StandardOutput(out, StandardCharsets.UTF_8), arguments(command));
    return new Outcome(code, err.toString());
  }

  private String[] arguments(String command) {
    return command.replace("DIR", folder.toString()).split(" ");
  }

  /** Fails as the write to a full disk or to a closed pipe does. */
  private static final class Full extends OutputStream {

    private final String reason;

    Full(String reason) {
      this.reason = reason;
    }

    @Override
    public void write(int value) throws IOException {
      throw new IOException(reason);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--help",
        "--version",
        "ask --help",
        "strategies",
        "strategies fastv",
        ASK,
        ASK + " --json",
        "caption ../images/scene-01.png --max-new-tokens 2",
        "inspect ../../models/tiny/src/main/resources/squint-tiny",
        "split ../../models/tiny/src/main/resources/squint-tiny --at 2 -o DIR/split",
        "search --data DIR -o DIR/found --layers 3 --limit 2 --max-drop 100",
        COMPARE + " --budget flops<=1"
      })
  void everyCommandSaysThatItsOutputIsLost(String command) {
    Outcome outcome = run(new Full("No space left on device"), command);
    assertThat(outcome.code()).as(outcome.err()).isEqualTo(1);
    assertThat(outcome.err().lines().filter(line -> line.startsWith("squint: ")))
        .containsExactly(
            "squint: standard output cannot be written (No space left on device); check where it goes");
  }

  @Test
  void aReaderThatHasReadEnoughIsNotToldMore() {
    assertThat(run(new Full("Broken pipe"), "strategies"))
        .isEqualTo(new Outcome(StandardOutput.READER_GONE, ""));
  }

  @Test
  void whatFailedBeforeIsSaidOnly() {
    Outcome outcome = run(new Full("No space left on device"), "strategies fastvv");
    assertThat(outcome.code()).isEqualTo(2);
    assertThat(outcome.err().lines()).singleElement().asString().contains("fastvv");
  }

  @Test
  @EnabledOnOs(LINUX)
  void theProcessEndsAsItShould() throws Exception {
    String lost = "squint: standard output cannot be written (%s); check where it goes";
    assertThat(child("\"$@\" > /dev/full"))
        .isEqualTo(new Outcome(1, lost.formatted("No space left on device")));
    assertThat(child("\"$@\" >&-"))
        .isEqualTo(new Outcome(1, lost.formatted("Bad file descriptor")));
    assertThat(child("{ \"$@\"; echo $? >&2; } | true"))
        .isEqualTo(new Outcome(0, Integer.toString(StandardOutput.READER_GONE)));
  }

  private Outcome child(String shell) throws Exception {
    Path err = folder.resolve("err");
    ProcessBuilder builder =
        new ProcessBuilder(
            "sh",
            "-c",
            shell,
            "sh",
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "@../../models/fixtures/java.args",
            "-cp",
            System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
            SquintCommand.class.getName(),
            "strategies");
    int code = builder.redirectError(err.toFile()).start().waitFor();
    return new Outcome(code, Files.readString(err).strip());
  }
}
