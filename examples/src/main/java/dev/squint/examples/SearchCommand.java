package dev.squint.examples;

import dev.squint.adapters.AskOptions;
import dev.squint.adapters.DataException;
import dev.squint.adapters.QuestionSet;
import dev.squint.adapters.Squint;
import dev.squint.models.ModelOptions;
import dev.squint.pruning.ModelFacts;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.Strategy;
import dev.squint.pruning.schedules.GSearch;
import dev.squint.pruning.schedules.ScheduleFile;
import dev.squint.pruning.strategies.Layerwise;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * Searches on questions how few visual tokens each layer needs. Nothing is written before the end.
 */
@Command(
    name = "search",
    description =
        "Finds on questions with known answers how few visual tokens each layer needs (G-Search).",
    mixinStandardHelpOptions = true)
final class SearchCommand implements Runnable {

  private static final String NAME = "layerwise";
  private static final double ROUNDING = 1e-9;

  @Mixin private LoadOptions load;

  @Option(
      names = "--data",
      required = true,
      paramLabel = "DIR",
      description = "Folder with images/N.png and questions.json, as easy-VQA has them.")
  private Path data;

  @Option(
      names = {"-o", "--out"},
      required = true,
      paramLabel = "FILE",
      description = "The schedule, for --strategy layerwise:file=FILE.")
  private Path out;

  @Option(
      names = "--max-drop",
      defaultValue = "1.0",
      paramLabel = "POINTS",
      description = "Points of accuracy that may be lost (default: ${DEFAULT-VALUE}).")
  private double maxDrop;

  @Option(
      names = "--layers",
      split = ",",
      paramLabel = "LAYER",
      description = "Layers before which tokens may leave (default: 2,8,16,24 of 32, scaled).")
  private List<Integer> layers = List.of();

  @Option(
      names = "--score",
      defaultValue = "last",
      paramLabel = "NAME",
      description = "What tokens are ranked by, as in layerwise (default: ${DEFAULT-VALUE}).")
  private String score;

  @Option(
      names = "--limit",
      defaultValue = "200",
      paramLabel = "N",
      description = "Questions asked, drawn at random (default: ${DEFAULT-VALUE}).")
  private int limit;

  @Option(
      names = "--seed",
      defaultValue = "0",
      description = "Seed of the draw (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--max-new-tokens",
      paramLabel = "N",
      defaultValue = "16",
      description = "Longest answer (default: ${DEFAULT-VALUE}).")
  private int maxNewTokens;

  @Spec private CommandSpec spec;

  @Override
  public void run() {
    if (!(maxDrop >= 0 && maxDrop <= 100)) {
      throw misused("--max-drop %s is no number of points; choose 0 to 100".formatted(maxDrop));
    }
    if (limit < 1) {
      throw misused("--limit %d leaves no question; choose 1 or more".formatted(limit));
    }
    layers = layers.stream().distinct().sorted().toList();
    pruned(new ScheduleFile(layers, List.of()));
    AskOptions ask = AskOptions.defaults().withMaxNewTokens(maxNewTokens);
    ModelOptions options = load.checked();
    ScheduleTarget target = new ScheduleTarget(out);
    QuestionSet questions = QuestionSet.read(data).drawn(limit, seed);
    try (Squint squint = load.load(options)) {
      search(squint, questions, ask, target);
    }
  }

  private ParameterException misused(String sentence) {
    return new ParameterException(spec.commandLine(), sentence);
  }

  private Strategy pruned(ScheduleFile schedule) {
    return new Layerwise(
        score, "fixed", schedule.shares(), List.of(), schedule.layers(), Optional.empty());
  }

  private void search(Squint squint, QuestionSet questions, AskOptions ask, ScheduleTarget target) {
    ModelFacts facts = squint.facts();
    List<Integer> cuts = facts.decoder().requireCuts(NAME, "layers", layers, 2, 8, 16, 24);
    GSearch search = new GSearch(cuts, facts.visualTokens());
    int total = questions.questions().size();
    SearchLog log = new SearchLog(spec.commandLine().getErr(), total, search.trials() + 1);
    Calibration calibration = new Calibration(squint, questions, ask, log);
    log.say(text("asking %d questions unpruned", total));
    int unpruned = calibration.score(Strategies.parse("none")).right();
    if (unpruned == 0) {
      throw new DataException(
          "%s gets none of %d questions of %s right even unpruned, so there is nothing to lose; check that they fit the model"
              .formatted(facts.name(), total, data));
    }
    int needed = (int) Math.max(0, Math.ceil(unpruned - maxDrop * total / 100 - ROUNDING));
    log.say(
        text("unpruned: %d of %d questions right; a schedule needs %d", unpruned, total, needed));
    if (needed == unpruned && maxDrop > 0) {
      log.say(
          text(
              "one question of %d weighs %.1f points, more than --max-drop %s: none may be lost; raise --limit",
              total, 100.0 / total, maxDrop));
    }
    ScheduleFile found =
        search.search(
            (schedule, standing) -> {
              log.trying(standing);
              boolean holds = calibration.reaches(pruned(schedule), needed);
              log.settled(standing, holds);
              return holds;
            });
    report(facts, found, unpruned, total, calibration.score(pruned(found)), target);
  }

  private void report(
      ModelFacts facts,
      ScheduleFile found,
      int unpruned,
      int total,
      Calibration.Score score,
      ScheduleTarget target) {
    String accuracy =
        text(
            "%.2f %% of %d questions right, %.2f %% unpruned",
            100.0 * score.right() / total, total, 100.0 * unpruned / total);
    String strategy = text("%s:score=%s,file=%s", NAME, this.score, out);
    target.write(
        List.of(
            text(
                "G-Search of %s on %s, seed %d, at most %s points",
                facts.name(), data, seed, maxDrop),
            accuracy,
            "run it with --strategy " + strategy,
            "first layer that runs pruned, share of the visual tokens from there on"),
        found);
    Rows rows = new Rows();
    for (int site = 0; site < found.layers().size(); site++) {
      rows.add(
          "from layer " + found.layers().get(site),
          "%d of %d visual tokens",
          Math.round(found.shares().get(site) * facts.visualTokens()),
          facts.visualTokens());
    }
    rows.add("accuracy", "%s", accuracy);
    rows.add(
        "prefill FLOPs",
        "%.1f %% of unpruned",
        100.0 * score.prefillFlops() / score.unprunedPrefillFlops());
    rows.add("run it with", "--strategy %s", strategy);
    PrintWriter print = spec.commandLine().getOut();
    print.print(rows);
    print.flush();
  }

  private static String text(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
