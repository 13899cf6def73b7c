package dev.squint.cli;

import dev.squint.error.SquintException;
import dev.squint.evaluation.Setting;
import dev.squint.evaluation.SettingException;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExecutionException;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.TypeConversionException;
import picocli.CommandLine.UnmatchedArgumentException;

/** The command {@code squint}. Its exit codes are those that its help lists. */
@Command(
    name = "squint",
    description = "Asks vision-language models about images and prunes visual tokens on the way.",
    mixinStandardHelpOptions = true,
    exitCodeListHeading = "Exit codes:%n",
    exitCodeList = {
      "0:an answer",
      "1:Squint failed, the answer could not be written, or a comparison did not hold",
      "2:bad input: a request, a model or a strategy that cannot be used",
      "3:no room in memory or no time for the request; it may go well later",
      "141:the reader of the output has gone"
    },
    version = "squint " + SquintCommand.VERSION,
    subcommands = {
      AskCommand.class,
      CaptionCommand.class,
      PullCommand.class,
      StrategiesCommand.class,
      InspectCommand.class,
      SplitCommand.class,
      SearchCommand.class,
      CompareCommand.class
    })
public final class SquintCommand implements Runnable {

  static final int FAILED = 1;
  static final int BAD_INPUT = 2;
  static final int TRY_AGAIN = 3;
  static final String VERSION = "0.1.0-SNAPSHOT";

  /** Set by the launcher where standard error is a terminal: its columns. */
  private static final String TERMINAL = "squint.terminal";

  @Option(
      names = "--verbose",
      scope = ScopeType.INHERIT,
      description = "Show the stack trace of a failure.")
  private boolean verbose;

  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(),
        "name a command: ask, caption, pull, strategies, inspect, split, search or compare (see squint --help)");
  }

  /** Runs the command and leaves the process with its exit code. */
  public static void main(String[] arguments) {
    String encoding = System.getProperty("sun.stdout.encoding");
    Charset charset = encoding == null ? Charset.defaultCharset() : Charset.forName(encoding);
    StandardOutput out = new StandardOutput(new FileOutputStream(FileDescriptor.out), charset);
    System.exit(run(commandLine(), out, arguments));
  }

  /** Runs the command. An answer that could not be written is none. */
  static int run(CommandLine line, StandardOutput out, String... arguments) {
    int code = line.setOut(out.writer()).execute(arguments);
    IOException lost = out.lost().orElse(null);
    if (lost == null || code != 0) {
      return code;
    }
    if (StandardOutput.readerIsGone(lost)) {
      return StandardOutput.READER_GONE;
    }
    return report(
        line,
        "standard output cannot be written (%s); check where it goes".formatted(lost.getMessage()),
        FAILED);
  }

  static CommandLine commandLine() {
    SquintCommand root = new SquintCommand();
    return new CommandLine(root)
        .setExpandAtFiles(false)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .registerConverter(Path.class, SquintCommand::path)
        .setExecutionStrategy(SquintCommand::runLast)
        .setParameterExceptionHandler((e, given) -> misused(e))
        .setExecutionExceptionHandler(
            (e, line, parsed) -> {
              if (root.verbose) {
                e.printStackTrace(line.getErr());
              }
              return report(line, firstLine(e), exitCode(e));
            });
  }

  private static Path path(String text) {
    try {
      return Path.of(text);
    } catch (InvalidPathException e) {
      throw new TypeConversionException("no file can have that name in this locale");
    }
  }

  /** Errors of the Java runtime would pass the handlers by and end in a stack trace. */
  private static int runLast(ParseResult parsed) {
    checkCommand(parsed);
    try {
      return new CommandLine.RunLast().execute(parsed);
    } catch (OutOfMemoryError e) {
      throw failure(parsed, "out of memory; give Java more with JAVA_TOOL_OPTIONS=-Xmx4g", e);
    } catch (StackOverflowError | LinkageError e) {
      throw failure(parsed, e.toString(), e);
    }
  }

  /** Asked for help, picocli looks no further: help for an unknown command is none. */
  private static void checkCommand(ParseResult parsed) {
    if (parsed.isUsageHelpRequested() && !parsed.unmatched().isEmpty()) {
      throw new UnmatchedArgumentException(parsed.commandSpec().commandLine(), parsed.unmatched());
    }
  }

  private static ExecutionException failure(ParseResult parsed, String message, Error cause) {
    return new ExecutionException(parsed.commandSpec().commandLine(), message, cause);
  }

  private static int misused(ParameterException e) {
    String fix = "";
    if (e instanceof UnmatchedArgumentException unmatched) {
      List<String> close = unmatched.getSuggestions();
      fix = close.isEmpty() ? "" : "; did you mean '" + close.get(0) + "'?";
    }
    return report(e.getCommandLine(), firstLine(e) + fix, BAD_INPUT);
  }

  /** The exit code of a failure. */
  static int exitCode(Throwable e) {
    if (!(e instanceof SquintException failure)) {
      return FAILED;
    }
    return switch (failure.kind()) {
      case BAD_REQUEST, BAD_MODEL, REFUSED_STRATEGY -> BAD_INPUT;
      case OVERLOAD, DEADLINE -> TRY_AGAIN;
      case INTERNAL -> FAILED;
    };
  }

  /** Progress on standard error. */
  static TerminalProgress progress(CommandLine line) {
    return new TerminalProgress(line.getErr(), Integer.getInteger(TERMINAL, 0));
  }

  /** The option that a setting of the evaluation comes from. */
  private static String option(Setting setting) {
    return switch (setting) {
      case OUTPUT -> "--out";
      case TIMED -> "--timed";
      default -> "--" + setting.toString().replace(' ', '-');
    };
  }

  private static String sentence(Throwable e) {
    return e instanceof SettingException wrong
        ? wrong.message(SquintCommand::option)
        : e.getMessage();
  }

  private static String firstLine(Throwable e) {
    String message = e.getMessage() == null ? e.getClass().getSimpleName() : sentence(e);
    return message.lines().findFirst().orElse(message);
  }

  private static int report(CommandLine line, String sentence, int code) {
    PrintWriter err = line.getErr();
    err.println("squint: " + sentence);
    err.flush();
    return code;
  }
}
