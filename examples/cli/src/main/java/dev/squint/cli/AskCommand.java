package dev.squint.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "ask",
    description = "Answers a question about an image.",
    mixinStandardHelpOptions = true)
final class AskCommand implements Callable<Integer> {

  @Mixin private RequestOptions options;

  @Parameters(index = "1", paramLabel = "QUESTION", description = "What to ask.")
  private String question;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    return options.run(
        (squint, image, strategy, ask) -> squint.ask(image, question, strategy, ask),
        spec.commandLine().getOut());
  }
}
