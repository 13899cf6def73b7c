package dev.squint.examples.compare;

import dev.squint.adapters.DataException;
import dev.squint.adapters.Squint;
import dev.squint.examples.data.DataSet;
import dev.squint.examples.metrics.MetricSet;
import dev.squint.examples.report.Report;
import dev.squint.examples.report.Summary;
import dev.squint.models.ModelOptions;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * Asks every cell every question, times what they take, and writes the report. Started again with
 * the same plan it goes on where it stopped.
 */
public final class Comparison {

  private static final int MOST_LOAD_ROUNDS = 3;
  private static final int TIMED_PER_LOAD_ROUND = 10;
  private static final int LOAD_REQUESTS = 16;
  private static final int GALLERY = 12;

  /** Pictures that a worker holds for each time that a cut is loaded. */
  private static final int PICTURES_AT_ONCE = 16;

  private final ComparePlan plan;
  private final Squint squint;
  private final DataSet data;
  private final String promptSuffix;
  private final ModelOptions options;
  private final String version;
  private final PrintWriter err;
  private final int width;

  /**
   * A comparison.
   *
   * @param plan what is compared
   * @param squint the model, with one cut kept for each strategy if memory allows
   * @param data the questions, as they are put
   * @param promptSuffix the sentence behind each of them; empty if there is none
   * @param options how the model was loaded
   * @param version version of Squint
   * @param err where progress goes
   * @param width columns of the terminal that this is; 0 if it is none
   */
  public Comparison(
      ComparePlan plan,
      Squint squint,
      DataSet data,
      String promptSuffix,
      ModelOptions options,
      String version,
      PrintWriter err,
      int width) {
    this.plan = plan;
    this.squint = squint;
    this.data = data;
    this.promptSuffix = promptSuffix;
    this.options = options;
    this.version = version;
    this.err = err;
    this.width = width;
  }

  /**
   * Runs what is missing and writes the report.
   *
   * @return the summary; empty if the run was told to stop before the end
   * @throws DataException if the report folder cannot be used, or no question can be answered
   */
  public Optional<Summary> run() {
    MetricSet metrics = MetricSet.of(data, plan.metric());
    CellGrid grid = new CellGrid(plan.keeps(), plan.seeds(), squint.canResize());
    List<Cell> cells = grid.cells(plan.strategies(), squint.facts());
    int[] drawn = drawn();
    record(metrics).claim(plan.out());
    Asker asker = new Asker(squint, plan.seed(), plan.maxNewTokens());
    ResultLine lines = new ResultLine(metrics.all(), squint.facts().decoder());
    try (Stop stop = new Stop(this::sayStopped);
        Results results = new Results(plan.out().resolve("results.jsonl"), data, cells, lines)) {
      Map<Cell, String> refused = refused(asker, cells, grid, drawn, results, stop);
      List<Cell> running = cells.stream().filter(cell -> !refused.containsKey(cell)).toList();
      answer(asker, running, drawn, results, stop);
      Summaries summaries = new Summaries(data.samples(), metrics, results, plan.seed());
      int[] common = summaries.common(running, drawn);
      if (stop.wanted()) {
        return Optional.empty();
      }
      if (common.length == 0) {
        throw new DataException(
            "no question was answered by every strategy; the reasons are in %s"
                .formatted(plan.out().resolve("results.jsonl")));
      }
      List<String> notes = new ArrayList<>();
      List<CostLine> costs = measure(asker, running, common, stop, notes);
      if (stop.wanted()) {
        return Optional.empty();
      }
      Summary summary =
          summary(metrics, summaries, results, cells, refused, common, drawn, costs, notes);
      summary.notes().forEach(err::println);
      Report.write(
          plan.out(),
          summary,
          new Gallery(asker, data.samples(), results, GALLERY).pick(running, common));
      return Optional.of(summary);
    }
  }

  private void sayStopped() {
    err.println();
    err.println(
        "stopped; what is done is kept in %s, and the same command goes on from there"
            .formatted(plan.out()));
    err.flush();
  }

  private RunRecord record(MetricSet metrics) {
    return new RunRecord(
        squint.facts().name(),
        ModelHash.of(squint.folder(), options.precision()),
        data.name(),
        data.hash(),
        metrics.all().stream().map(metric -> metric.name()).toList(),
        plan.seed(),
        plan.maxNewTokens(),
        promptSuffix);
  }

  private int[] drawn() {
    List<Integer> places =
        new ArrayList<>(IntStream.range(0, data.samples().size()).boxed().toList());
    Collections.shuffle(places, new Random(plan.seed()));
    int limit = plan.limit().orElse(places.size());
    return places.stream().limit(limit).mapToInt(Integer::intValue).toArray();
  }

  private Map<Cell, String> refused(
      Asker asker, List<Cell> cells, CellGrid grid, int[] drawn, Results results, Stop stop) {
    Trials trials = new Trials(asker, data.samples(), results, stop);
    Progress progress = new Progress(err, width, "trying", trials.untried(cells).size());
    Map<Cell, String> refused = trials.refused(cells, drawn, progress);
    progress.end();
    if (stop.wanted()) {
      return refused;
    }
    refused.forEach((cell, reason) -> err.println(cell.id() + " did not run: " + reason));
    List<Cell> asked = cells.stream().filter(cell -> !grid.isAlwaysThere(cell)).toList();
    if (!asked.isEmpty() && refused.keySet().containsAll(asked)) {
      throw new DataException(
          "none of the strategies can run on %s; the reasons are above"
              .formatted(squint.facts().name()));
    }
    return refused;
  }

  private void answer(Asker asker, List<Cell> cells, int[] drawn, Results results, Stop stop) {
    long left = 0;
    for (int question : drawn) {
      left += cells.stream().filter(cell -> !results.has(cell, question)).count();
    }
    if (left == 0) {
      return;
    }
    Progress progress = new Progress(err, width, "answers", left);
    new Answers(asker, data.samples(), results, stop)
        .ask(cells, drawn, plan.workers(), reloads(cells) ? PICTURES_AT_ONCE : 1, progress);
    progress.end();
  }

  /** Whether the decoder's cuts may not all stay loaded: each cell has at most one of its own. */
  private boolean reloads(List<Cell> cells) {
    return cells.size() > plan.cutsKept();
  }

  private List<CostLine> measure(
      Asker asker, List<Cell> cells, int[] common, Stop stop, List<String> notes) {
    int threads = options.threads();
    int started = threads == 0 ? Runtime.getRuntime().availableProcessors() : threads;
    Path file =
        plan.out()
            .resolve("costs-%s-%d.jsonl".formatted(squint.provider().replace(':', '-'), started));
    if (plan.timedRequests() == 0 && !Files.exists(file)) {
      notes.add("times and memory were not measured");
      return List.of();
    }
    int[] timed =
        Arrays.stream(drawn())
            .filter(q -> Arrays.binarySearch(common, q) >= 0)
            .limit(plan.timedRequests())
            .toArray();
    try (Costs costs = new Costs(file, asker, data.samples(), timed, reloads(cells), stop)) {
      if (plan.timedRequests() > 0) {
        time(costs, cells, stop, notes);
      }
      if (!Energy.ofThisMachine().isKnown()) {
        notes.add("energy is left out: the operating system shows no counter of the processor");
      }
      return costs.lines();
    }
  }

  private void time(Costs costs, List<Cell> cells, Stop stop, List<String> notes) {
    int requests = plan.timedRequests();
    Progress alone = new Progress(err, width, "timing", costs.left(cells, requests));
    costs.time(cells, requests, alone);
    alone.end();
    int rounds = Math.max(1, Math.min(MOST_LOAD_ROUNDS, requests / TIMED_PER_LOAD_ROUND));
    Progress load = new Progress(err, width, "load", costs.loadLeft(cells, rounds, LOAD_REQUESTS));
    costs.load(cells, rounds, LOAD_REQUESTS, load);
    load.end();
    if (!stop.wanted()) {
      memory(costs, cells, stop, notes);
    }
  }

  private void memory(Costs costs, List<Cell> cells, Stop stop, List<String> notes) {
    if (ResidentMemory.ofThisProcess().peak().isEmpty()) {
      notes.add("resident memory is left out: the operating system does not tell its peak");
      return;
    }
    Progress progress = new Progress(err, width, "memory", costs.memoryLeft(cells));
    int processes = plan.isSmall() ? Runtime.getRuntime().availableProcessors() : 1;
    OwnProcess process = new OwnProcess(squint, options, plan.maxNewTokens());
    Optional<String> failed = costs.memory(cells, process, processes, progress);
    if (!stop.wanted()) {
      failed.ifPresent(reason -> notes.add("resident memory is incomplete: " + reason));
    }
    progress.end();
  }

  private Summary summary(
      MetricSet metrics,
      Summaries summaries,
      Results results,
      List<Cell> cells,
      Map<Cell, String> refused,
      int[] common,
      int[] drawn,
      List<CostLine> costs,
      List<String> measuring) {
    List<Summary.Cell> summed = new ArrayList<>();
    for (Cell cell : cells) {
      summed.add(
          refused.containsKey(cell)
              ? Summaries.refused(cell, refused.get(cell))
              : summaries.cell(cell, cells.get(0), common, costs));
    }
    return new Summary(
        new Summary.Run(
            squint.facts().name(),
            ModelHash.of(squint.folder(), options.precision()),
            data.name(),
            data.format(),
            data.hash(),
            metrics.plotted().name(),
            common.length,
            data.samples().size(),
            data.defects().size(),
            plan.seed(),
            plan.maxNewTokens(),
            squint.facts().visualTokens(),
            squint.facts().decoder().layers(),
            squint.promptTemplate(),
            promptSuffix,
            metrics.plotted().most() > 1),
        Machines.here(squint.provider(), options.threads(), version),
        summed,
        Summaries.spreads(summed, metrics.plotted().name()),
        summaries.discordant(
            cells.stream().filter(cell -> !refused.containsKey(cell)).toList(), common),
        notes(results, common, drawn, measuring));
  }

  private List<String> notes(Results results, int[] common, int[] drawn, List<String> measuring) {
    List<String> notes = new ArrayList<>();
    if (common.length < drawn.length) {
      notes.add(
          "%d of %d questions are left out because a picture or a strategy failed on them%s"
              .formatted(
                  drawn.length - common.length,
                  drawn.length,
                  results.firstFailure().map(reason -> ", the first: " + reason).orElse("")));
    }
    for (DataSet.Defect defect : data.defects().stream().limit(5).toList()) {
      notes.add("record %s cannot be used: %s".formatted(defect.record(), defect.reason()));
    }
    if (data.defects().size() > 5) {
      notes.add("%d records cannot be used".formatted(data.defects().size()));
    }
    if (!squint.canResize()) {
      notes.add(
          "resized pictures are left out: the vision encoder takes pictures of one size only");
    }
    notes.addAll(measuring);
    return notes;
  }
}
