package dev.squint.evaluation.compare;

import dev.squint.DataException;
import dev.squint.evaluation.EvaluationListener;
import dev.squint.evaluation.data.DataSet;
import dev.squint.evaluation.internal.AccuracyPass;
import dev.squint.evaluation.internal.Draw;
import dev.squint.evaluation.internal.ModelRunner;
import dev.squint.evaluation.internal.RunConfig;
import dev.squint.evaluation.metrics.Metric;
import dev.squint.evaluation.metrics.MetricSet;
import dev.squint.evaluation.report.GalleryItem;
import dev.squint.evaluation.report.Report;
import dev.squint.evaluation.report.Summary;
import dev.squint.pruning.shape.ModelShape;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.BooleanSupplier;

/**
 * Asks every configuration - a strategy at a budget with a seed - every question, times what they
 * take, and writes the report. Started again with the same settings it goes on where it stopped.
 *
 * <pre>{@code
 * try (Squint squint = Squint.load(options)) {
 *   Optional<Summary> summary =
 *       Comparison.of(DataSets.read(Path.of("questions.jsonl")))
 *           .model(squint, options)
 *           .specs("fastv:k=2", "dart")
 *           .keep(0.5, 0.1)
 *           .output(Path.of("report"))
 *           .build()
 *           .run();
 * }
 * }</pre>
 */
public final class Comparison {

  private static final int MOST_LOAD_ROUNDS = 3;
  private static final int TIMED_PER_LOAD_ROUND = 10;
  private static final int LOAD_REQUESTS = 16;
  private static final int GALLERY = 12;
  private static final int NAMED_SKIPS = 5;

  /** Images that a worker holds for each time that a split is loaded. */
  private static final int IMAGES_AT_ONCE = 16;

  private final ComparisonBuilder plan;
  private final DataSet data;
  private final String promptSuffix;
  private final ModelRunner runner;
  private final EvaluationListener listener;
  private final BooleanSupplier stop;

  Comparison(ComparisonBuilder plan, DataSet data, String promptSuffix, ModelRunner runner) {
    this.plan = plan;
    this.data = data;
    this.promptSuffix = promptSuffix;
    this.runner = runner;
    this.listener = plan.listener;
    this.stop = plan.stop;
  }

  /** Starts to say what is compared on a data set. */
  public static ComparisonBuilder of(DataSet data) {
    return new ComparisonBuilder(data);
  }

  /**
   * Runs what is missing and writes the report.
   *
   * @return the summary; empty if the run was told to stop before the end
   * @throws DataException if the output folder cannot be used, or no question can be answered
   */
  public Optional<Summary> run() {
    MetricSet metrics = MetricSet.of(data, plan.metric);
    Optional<ModelShape> facts = runner.facts();
    ConfigGrid grid =
        new ConfigGrid(plan.keep, plan.seeds, runner.canResize(), plan.comparesStrategies());
    List<RunConfig> configs =
        grid.configs(
            plan.specs,
            plan.families,
            plan.strategies,
            facts.isEmpty() ? OptionalInt.empty() : OptionalInt.of(facts.get().visualTokens()));
    int[] drawn = Draw.of(data.samples().size(), plan.limit, plan.seed);
    String hash = runner.hash();
    record(metrics, hash).claim(plan.output);
    ResultLine lines = new ResultLine(metrics.all(), facts.map(ModelShape::decoder));
    Path file = plan.output.resolve("results.jsonl");
    try (Results results = new Results(file, data, configs, lines)) {
      Map<RunConfig, String> refused = refused(configs, grid, drawn, results);
      List<RunConfig> running =
          configs.stream().filter(config -> !refused.containsKey(config)).toList();
      answer(running, drawn, results);
      Summariser summariser = new Summariser(data.samples(), metrics, results, plan.seed);
      int[] common = summariser.common(running, drawn);
      if (stop.getAsBoolean()) {
        return Optional.empty();
      }
      if (common.length == 0) {
        throw new DataException(
            "no question was answered by every strategy; the reasons are in %s".formatted(file));
      }
      List<String> notes = new ArrayList<>();
      List<CostRecord> costs =
          measure(
              running, common, results.get(configs.get(0), common[0]).cost().isPresent(), notes);
      if (stop.getAsBoolean()) {
        return Optional.empty();
      }
      List<Summary.RunSummary> summed = new ArrayList<>();
      for (RunConfig config : configs) {
        summed.add(
            refused.containsKey(config)
                ? Summariser.refused(config, refused.get(config))
                : summariser.config(config, configs.get(0), common, costs));
      }
      Summary summary =
          new Summary(
              described(metrics, hash, common.length),
              MachineInfo.here(runner.provider(), plan.threads, runner.runtimeVersion()),
              summed,
              Summariser.spreads(summed, metrics.plotted().name()),
              summariser.discordant(running, common),
              notes(results, common, drawn, notes));
      summary.notes().forEach(listener::said);
      List<GalleryItem> gallery =
          facts.isEmpty()
              ? List.of()
              : new Gallery(runner, data.samples(), results, GALLERY).pick(running, common);
      Report.write(plan.output, summary, gallery);
      return Optional.of(summary);
    }
  }

  private RunRecord record(MetricSet metrics, String hash) {
    return new RunRecord(
        runner.name(),
        hash,
        data.name(),
        data.hash(),
        metrics.all().stream().map(Metric::name).toList(),
        plan.seed,
        plan.longest(),
        promptSuffix);
  }

  private Summary.Run described(MetricSet metrics, String hash, int questions) {
    Optional<ModelShape> facts = runner.facts();
    return new Summary.Run(
        runner.name(),
        hash,
        data.name(),
        data.format(),
        data.hash(),
        metrics.plotted().name(),
        questions,
        data.samples().size(),
        data.skipped().size(),
        plan.seed,
        plan.longest(),
        facts.map(ModelShape::visualTokens).orElse(0),
        facts.map(known -> known.decoder().layers()).orElse(0),
        runner.promptTemplate(),
        promptSuffix,
        metrics.plotted().most() > 1);
  }

  private Map<RunConfig, String> refused(
      List<RunConfig> configs, ConfigGrid grid, int[] drawn, Results results) {
    Map<RunConfig, String> refused =
        new FeasibilityCheck(runner, data.samples(), results, stop, listener)
            .refused(configs, drawn);
    if (stop.getAsBoolean()) {
      return refused;
    }
    refused.forEach((config, reason) -> listener.said(config.id() + " did not run: " + reason));
    List<RunConfig> asked = configs.stream().filter(config -> !grid.isAlwaysThere(config)).toList();
    if (!asked.isEmpty() && refused.keySet().containsAll(asked)) {
      throw new DataException(
          "none of the strategies can run on %s; the first: %s"
              .formatted(runner.name(), refused.get(asked.get(0))));
    }
    return refused;
  }

  private void answer(List<RunConfig> configs, int[] drawn, Results results) {
    long left = 0;
    for (int question : drawn) {
      left += configs.stream().filter(config -> !results.has(config, question)).count();
    }
    if (left == 0) {
      return;
    }
    listener.started("answers", left);
    new AccuracyPass(runner, data.samples(), results, stop, listener)
        .ask(configs, drawn, plan.workers, runner.reloads(configs) ? IMAGES_AT_ONCE : 1);
    listener.ended();
  }

  private List<CostRecord> measure(
      List<RunConfig> configs, int[] common, boolean traced, List<String> notes) {
    int started = plan.threads == 0 ? Runtime.getRuntime().availableProcessors() : plan.threads;
    Path file =
        plan.output.resolve(
            "costs-%s-%d.jsonl".formatted(runner.provider().replace(':', '-'), started));
    if (!traced) {
      notes.add("FLOPs, times and memory are not known: the answers came without a trace");
      return List.of();
    }
    if (plan.timedRequests == 0 && !Files.exists(file)) {
      notes.add("times and memory were not measured");
      return List.of();
    }
    int[] timed =
        Arrays.stream(Draw.of(data.samples().size(), plan.limit, plan.seed))
            .filter(question -> Arrays.binarySearch(common, question) >= 0)
            .limit(plan.timedRequests)
            .toArray();
    try (CostBenchmark costs =
        new CostBenchmark(
            file, runner, data.samples(), timed, runner.reloads(configs), stop, listener)) {
      if (plan.timedRequests > 0) {
        time(costs, configs, notes);
      }
      if (!Energy.ofThisMachine().isKnown()) {
        notes.add("energy is left out: the operating system shows no counter of the processor");
      }
      return costs.lines();
    }
  }

  private void time(CostBenchmark costs, List<RunConfig> configs, List<String> notes) {
    costs.time(configs, plan.timedRequests);
    int rounds = Math.min(MOST_LOAD_ROUNDS, plan.timedRequests / TIMED_PER_LOAD_ROUND);
    costs.load(configs, Math.max(1, rounds), Math.min(LOAD_REQUESTS, plan.timedRequests));
    if (!stop.getAsBoolean()) {
      memory(costs, configs, notes);
    }
  }

  private void memory(CostBenchmark costs, List<RunConfig> configs, List<String> notes) {
    Optional<PeakMemoryProbe> probe = plan.probe();
    if (probe.isEmpty() || plan.memoryProcesses == 0) {
      return;
    }
    if (ResidentMemory.ofThisProcess().peak().isEmpty()) {
      notes.add("resident memory is left out: the operating system does not tell its peak");
      return;
    }
    Optional<String> failed = costs.memory(configs, probe.get(), plan.memoryProcesses);
    if (!stop.getAsBoolean()) {
      failed.ifPresent(reason -> notes.add("resident memory is incomplete: " + reason));
    }
  }

  private List<String> notes(Results results, int[] common, int[] drawn, List<String> measuring) {
    List<String> notes = new ArrayList<>();
    if (common.length < drawn.length) {
      notes.add(
          "%d of %d questions are left out because an image or a strategy failed on them%s"
              .formatted(
                  drawn.length - common.length,
                  drawn.length,
                  results.firstFailure().map(reason -> ", the first: " + reason).orElse("")));
    }
    for (DataSet.SkippedRecord skip : data.skipped().stream().limit(NAMED_SKIPS).toList()) {
      notes.add("record %s cannot be used: %s".formatted(skip.record(), skip.reason()));
    }
    if (data.skipped().size() > NAMED_SKIPS) {
      notes.add("%d records cannot be used".formatted(data.skipped().size()));
    }
    if (runner.facts().isPresent() && !runner.canResize()) {
      notes.add("resized images are left out: the vision encoder takes images of one size only");
    }
    notes.addAll(measuring);
    return notes;
  }
}
