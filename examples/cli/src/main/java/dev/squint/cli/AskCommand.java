package dev.squint.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "ask",
    description = "Answers a question about one or several images.",
    mixinStandardHelpOptions = true)
final class AskCommand implements Callable<Integer> {

  @Mixin private RequestOptions options;

  @Option(
      names = "--chat",
      description =
          "Converse: each line of standard input is a question, /quit or its end ends it; QUESTION may be left out.")
  private boolean chat;

  @Parameters(
      arity = "0..*",
      paramLabel = "IMAGE... QUESTION",
      hideParamSyntax = true,
      description = {"PNG, JPEG, BMP, WebP, TIFF, GIF or PNM files, and at last what to ask."})
  private List<String> arguments = List.of();

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    CommandLine line = spec.commandLine();
    int images = arguments.size() - (chat && endsWithImage(line) ? 0 : 1);
    if (images < (chat ? 0 : 1)) {
      throw new ParameterException(
          line,
          chat || !arguments.isEmpty()
              ? "Missing required parameter: 'QUESTION'; give it after the images"
              : "Missing required parameters: 'IMAGE', 'QUESTION'; give an image and a question");
    }
    List<Path> files =
        arguments.subList(0, images).stream().map(name -> SquintCommand.file(line, name)).toList();
    return options.run(line, files, arguments.stream().skip(images).findFirst(), chat);
  }

  /** Whether there is no question, as the last argument is a file. */
  private boolean endsWithImage(CommandLine line) {
    return arguments.isEmpty()
        || Files.isRegularFile(SquintCommand.file(line, arguments.get(arguments.size() - 1)));
  }
}
