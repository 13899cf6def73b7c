package dev.squint.cli;

import dev.squint.Squint;
import dev.squint.engine.options.ModelOptions;
import dev.squint.evaluation.compare.BaselineCheck;
import dev.squint.evaluation.compare.BudgetRule;
import dev.squint.evaluation.compare.Comparison;
import dev.squint.evaluation.compare.ComparisonBuilder;
import dev.squint.evaluation.data.DataSet;
import dev.squint.evaluation.data.DataSets;
import dev.squint.evaluation.data.PromptStyle;
import dev.squint.evaluation.data.SampleData;
import dev.squint.evaluation.metrics.MetricSet;
import dev.squint.evaluation.report.Summary;
import dev.squint.evaluation.report.SummaryFile;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
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
  private static final int SMALL_MODEL_SPLITS = 128;

  /** What the shell says of a process that Ctrl-C has ended. */
  private static final int STOPPED = 130;

  @Mixin private LoadOptions load;

  @Option(
      names = "--data",
      paramLabel = "PATH",
      description =
          "Folder or file of questions; the format is detected (default: 240 questions that come with Squint).")
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
      names = "--prompt-suffix",
      paramLabel = "TEXT",
      defaultValue = PromptStyle.AUTO,
      description =
          "Sentence after each question; auto for that of lmms-eval and LLaVA for the kind of data set (none for the embedded model), none for bare questions (default: ${DEFAULT-VALUE}).")
  private String promptSuffix;

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

  @Option(
      names = "--budget",
      paramLabel = "RULE",
      description =
          "Say in a line which setting is cheapest within flops, prefill, kv or tokens<=SHARE.")
  private String budget;

  @Option(
      names = "--max-drop",
      paramLabel = "POINTS",
      defaultValue = "1.0",
      description = "Points of accuracy that --budget lets go (default: ${DEFAULT-VALUE}).")
  private double maxDrop;

  @Option(
      names = "--baseline",
      paramLabel = "DIR",
      description = "Report folder to compare with; exit code 1 if accuracy or speed fell.")
  private Path baseline;

  @Option(
      names = "--margin",
      paramLabel = "POINTS",
      defaultValue = "1.0",
      description = "Points that --baseline lets go (default: ${DEFAULT-VALUE}).")
  private double margin;

  @Option(
      names = "--speed-margin",
      paramLabel = "PERCENT",
      defaultValue = "15",
      description = "Percent of speed that --baseline lets go (default: ${DEFAULT-VALUE}).")
  private double speedMargin;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    ModelOptions options = load.checked();
    Optional<BudgetRule> rule =
        Optional.ofNullable(budget).map(text -> BudgetRule.parse(text, maxDrop));
    BaselineCheck check = new BaselineCheck(margin, speedMargin);
    Optional<Summary> old = Optional.ofNullable(baseline).map(SummaryFile::read);
    Optional<Summary> summary;
    if (data == null) {
      try (SampleData sample = SampleData.open()) {
        summary = compare(sample.read(), "the scenes that come with Squint", options, check, old);
      }
    } else {
      summary = compare(DataSets.read(data), data.toString(), options, check, old);
    }
    return summary.map(now -> conclude(now, rule, check, old)).orElse(STOPPED);
  }

  private Optional<Summary> compare(
      DataSet set,
      String source,
      ModelOptions options,
      BaselineCheck check,
      Optional<Summary> old) {
    PromptStyle style = PromptStyle.parse(promptSuffix, load.isEmbedded());
    String suffix = style.sentence(set.task());
    say(
        "%s: %s format, %,d questions%s",
        source,
        set.format(),
        set.samples().size(),
        set.skipped().isEmpty() ? "" : ", " + set.skippedInWords());
    if (!suffix.isEmpty()) {
      say("each is asked with: %s", suffix);
    }
    old.ifPresent(
        earlier ->
            check.checkComparable(
                earlier,
                set.name(),
                set.hash(),
                suffix,
                MetricSet.of(set, Optional.ofNullable(metric)).plotted().name()));
    boolean small = load.isSmall();
    ModelOptions loaded =
        small ? options.toBuilder().maxCachedSplits(SMALL_MODEL_SPLITS).build() : options;
    ComparisonBuilder plan =
        Comparison.of(set)
            .specs(strategies.split(";"))
            .keep(keeps.stream().mapToDouble(Double::doubleValue).toArray())
            .seeds(seeds)
            .seed(seed)
            .workers(workers)
            .promptStyle(style)
            .timedRequests(timed)
            .memoryProcesses(small ? Runtime.getRuntime().availableProcessors() : 1)
            .output(out);
    Optional.ofNullable(limit).ifPresent(plan::limit);
    Optional.ofNullable(maxNewTokens).ifPresent(plan::maxNewTokens);
    Optional.ofNullable(metric).ifPresent(plan::metric);
    try (Squint squint = load.load(loaded);
        TerminalProgress progress = SquintCommand.progress(spec.commandLine());
        ShutdownSignal signal = new ShutdownSignal(this::sayStopped)) {
      return plan.model(squint, loaded).listener(progress).stopWhen(signal::isRaised).build().run();
    }
  }

  private void sayStopped() {
    say("%nstopped; what is done is kept in %s, and the same command goes on from there", out);
  }

  private int conclude(
      Summary now, Optional<BudgetRule> rule, BaselineCheck check, Optional<Summary> old) {
    say("wrote %s", out.resolve("index.html"));
    PrintWriter print = spec.commandLine().getOut();
    boolean holds = true;
    if (rule.isPresent()) {
      print.println(rule.get().say(now));
      holds = rule.get().cheapest(now).isPresent();
    }
    if (old.isPresent()) {
      BaselineCheck.Result outcome = check.compare(old.get(), now);
      outcome.lines().forEach(print::println);
      holds &= outcome.worse() == 0;
    }
    print.flush();
    return holds ? 0 : 1;
  }

  private void say(String format, Object... values) {
    PrintWriter err = spec.commandLine().getErr();
    err.println(String.format(Locale.ROOT, format, values));
    err.flush();
  }
}
