package dev.squint.examples;

import dev.squint.adapters.Squint;
import dev.squint.examples.compare.ComparePlan;
import dev.squint.examples.compare.Comparison;
import dev.squint.examples.data.DataSet;
import dev.squint.examples.data.DataSets;
import dev.squint.examples.data.Task;
import dev.squint.examples.report.Summary;
import dev.squint.models.ModelOptions;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Compares strategies at budgets: accuracy against FLOPs and time. */
@Command(
    name = "compare",
    description =
        "Asks every strategy at every budget the same questions and writes what each answers and costs.",
    mixinStandardHelpOptions = true)
final class CompareCommand implements Callable<Integer> {

  private static final String STRATEGIES =
      "fastv:k=2; pyramiddrop; sparsevlm; fastervlm; visionzip; vispruner; divprune; dart";
  private static final int SHORT = 16;
  private static final int CAPTION = 64;

  @Mixin private LoadOptions load;

  @Option(
      names = "--data",
      paramLabel = "PATH",
      required = true,
      description = "Folder or file of questions; the format is detected.")
  private Path data;

  @Option(
      names = "--strategies",
      paramLabel = "SPECS",
      defaultValue = STRATEGIES,
      description =
          "Specs separated by ';', {keep} and {tokens} standing for the budget (default: ${DEFAULT-VALUE}); none, random, uniform and resize are always there.")
  private String strategies;

  @Option(
      names = "--keep",
      paramLabel = "RATIO",
      split = ",",
      defaultValue = "0.75,0.5,0.25,0.1,0.05",
      description = "Retention ratios (default: ${DEFAULT-VALUE}).")
  private List<Double> keeps;

  @Option(
      names = {"-o", "--out"},
      paramLabel = "DIR",
      defaultValue = "report",
      description = "Report folder (default: ${DEFAULT-VALUE}).")
  private Path out;

  @Option(names = "--limit", paramLabel = "N", description = "Questions asked, drawn at random.")
  private Integer limit;

  @Option(
      names = "--seed",
      defaultValue = "0",
      description = "Seed of the draw and of random selection (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--seeds",
      paramLabel = "N",
      defaultValue = "3",
      description = "Draws of random selection (default: ${DEFAULT-VALUE}).")
  private int seeds;

  @Option(
      names = "--workers",
      paramLabel = "N",
      defaultValue = "1",
      description = "Questions at once while accuracy is taken (default: ${DEFAULT-VALUE}).")
  private int workers;

  @Option(
      names = "--metric",
      paramLabel = "NAME",
      description = "Metric to plot (default: the usual one of the data set's kind).")
  private String metric;

  @Option(
      names = "--max-new-tokens",
      paramLabel = "N",
      description = "Longest answer (default: 16, for captions 64).")
  private Integer maxNewTokens;

  @Option(
      names = "--timed",
      paramLabel = "N",
      defaultValue = "20",
      description =
          "Requests timed of each strategy and budget, 0 for none (default: ${DEFAULT-VALUE}).")
  private int timed;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    PrintWriter err = spec.commandLine().getErr();
    ModelOptions options = load.checked();
    DataSet set = DataSets.read(data);
    err.println("%s: %s, %,d questions".formatted(data, set.format(), set.samples().size()));
    err.flush();
    int longest = set.task() == Task.CAPTION ? CAPTION : SHORT;
    boolean small = load.isSmall();
    ComparePlan plan =
        new ComparePlan(
            strategies,
            keeps,
            seeds,
            limit == null ? OptionalInt.empty() : OptionalInt.of(limit),
            seed,
            workers,
            small ? 1 : 16,
            maxNewTokens == null ? longest : maxNewTokens,
            Optional.ofNullable(metric),
            timed,
            out);
    try (Squint squint = load.load(options.withCutsKept(small ? 64 : 2))) {
      Optional<Summary> summary =
          new Comparison(
                  plan,
                  squint,
                  set,
                  options.threads(),
                  "0.1.0-SNAPSHOT",
                  err,
                  System.console() != null)
              .run();
      return summary.isPresent() ? 0 : 1;
    }
  }
}
