package dev.squint.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.squint.DataException;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException;
import dev.squint.error.SquintException.Kind;
import dev.squint.error.StrategyException;
import dev.squint.family.PromptException;
import dev.squint.image.ImageException;
import dev.squint.overlay.OverlayException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;

class ExitCodesTest {

  @Command(name = "fail")
  static final class Failing implements Runnable {

    private final RuntimeException failure;

    Failing(RuntimeException failure) {
      this.failure = failure;
    }

    @Override
    public void run() {
      throw failure;
    }
  }

  private static int code(RuntimeException failure) {
    CommandLine line =
        SquintCommand.commandLine()
            .addSubcommand(new Failing(failure))
            .setErr(new PrintWriter(new StringWriter()));
    return line.execute("fail");
  }

  @ParameterizedTest
  @CsvSource({
    "BAD_REQUEST, 2",
    "BAD_MODEL, 2",
    "REFUSED_STRATEGY, 2",
    "OVERLOAD, 3",
    "DEADLINE, 3",
    "INTERNAL, 1"
  })
  void eachKindHasItsCode(Kind kind, int code) {
    assertThat(code(new SquintException(kind, "it failed"))).isEqualTo(code);
    assertThat(code(new ModelException(kind, "it failed"))).isEqualTo(code);
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void theHelpListsTheCodeOfEachKind(Kind kind) {
    CommandLine line = SquintCommand.commandLine();
    int code = SquintCommand.exitCode(new SquintException(kind, "it failed"));
    assertThat(line.getUsageMessage()).containsPattern("(?m)^ +%d +\\S".formatted(code));
  }

  static Stream<Arguments> kinds() {
    return Stream.of(
        Arguments.of(new StrategyException("no"), Kind.REFUSED_STRATEGY),
        Arguments.of(new ModelException("no"), Kind.BAD_MODEL),
        Arguments.of(new ImageException("no"), Kind.BAD_REQUEST),
        Arguments.of(new PromptException("no"), Kind.BAD_REQUEST),
        Arguments.of(new DataException("no"), Kind.BAD_REQUEST),
        Arguments.of(new OverlayException("no"), Kind.BAD_REQUEST));
  }

  @ParameterizedTest
  @MethodSource
  void kinds(SquintException failure, Kind kind) {
    assertThat(failure.kind()).isEqualTo(kind);
    assertThat(code(failure)).isEqualTo(2);
  }

  @Test
  void whatIsNotSquintsOwnIsAFailure() {
    assertThat(code(new IllegalArgumentException("no"))).isEqualTo(1);
    assertThat(code(new IllegalStateException("no"))).isEqualTo(1);
  }
}
