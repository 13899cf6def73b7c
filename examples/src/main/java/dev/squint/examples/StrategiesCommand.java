package dev.squint.examples;

import dev.squint.pruning.Parameter;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.StrategyProvider;
import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

@Command(
    name = "strategies",
    description = "Lists the strategies with their parameters and papers.",
    mixinStandardHelpOptions = true)
final class StrategiesCommand implements Runnable {

  @Spec private CommandSpec spec;

  @Override
  public void run() {
    PrintWriter out = spec.commandLine().getOut();
    for (StrategyProvider provider : Strategies.available()) {
      out.printf("%s: %s (%s)%n", provider.name(), provider.summary(), provider.paper());
      for (Parameter parameter : provider.parameters()) {
        out.printf(
            "  %s: %s; %s; default %s%n",
            parameter.name(),
            parameter.summary(),
            parameter.range(),
            parameter.defaultValue().orElse("unset"));
      }
    }
    out.flush();
  }
}
