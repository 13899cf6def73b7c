package dev.squint.cli;

import dev.squint.error.StrategyException;
import dev.squint.pruning.DescribedStrategy;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.Strategy;
import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "strategies",
    description = "Lists the strategies, or describes one in full.",
    mixinStandardHelpOptions = true)
final class StrategiesCommand implements Runnable {

  @Parameters(
      arity = "0..1",
      paramLabel = "NAME",
      description = "The strategy to describe in full, such as fastv or fastv:k=3.")
  private String name;

  @Spec private CommandSpec spec;

  @Override
  public void run() {
    PrintWriter out = spec.commandLine().getOut();
    if (name == null) {
      Strategies.available().forEach(type -> out.print(StrategyEntry.of(type).inShort()));
      out.printf("Sites and observations are those of the defaults on %s.%n", StrategyEntry.MODEL);
    } else {
      out.print(named().inFull());
    }
    out.flush();
  }

  private StrategyEntry named() {
    Strategy strategy = Strategies.parse(name);
    if (strategy instanceof DescribedStrategy described) {
      return StrategyEntry.of(described.type(), strategy);
    }
    throw new StrategyException(
        "'%s' is several strategies; describe one at a time".formatted(name));
  }
}
