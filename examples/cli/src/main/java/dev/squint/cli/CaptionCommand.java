package dev.squint.cli;

import dev.squint.Squint;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

@Command(name = "caption", description = "Describes an image.", mixinStandardHelpOptions = true)
final class CaptionCommand implements Callable<Integer> {

  @Mixin private RequestOptions options;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    return options.run(Squint::caption, spec.commandLine().getOut());
  }
}
