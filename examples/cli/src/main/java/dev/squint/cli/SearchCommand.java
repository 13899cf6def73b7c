package dev.squint.cli;

import dev.squint.Squint;
import dev.squint.engine.options.ModelOptions;
import dev.squint.evaluation.data.DataSet;
import dev.squint.evaluation.data.DataSets;
import dev.squint.evaluation.data.PromptStyle;
import dev.squint.evaluation.search.ScheduleSearch;
import dev.squint.evaluation.search.ScheduleTarget;
import dev.squint.pruning.shape.ModelShape;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
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

  @Mixin private LoadOptions load;

  @Option(
      names = "--data",
      required = true,
      paramLabel = "PATH",
      description = "Folder or file of questions; the format is detected.")
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

  @Option(
      names = "--prompt-suffix",
      paramLabel = "TEXT",
      defaultValue = PromptStyle.NONE,
      description =
          "Sentence after each question: auto, none or a text, as in compare (default: ${DEFAULT-VALUE}).")
  private String promptSuffix;

  @Spec private CommandSpec spec;

  @Override
  public void run() {
    ModelOptions options = load.checked();
    ScheduleTarget target = new ScheduleTarget(out);
    DataSet questions = DataSets.read(data);
    try (TerminalProgress progress = SquintCommand.progress(spec.commandLine())) {
      ScheduleSearch search =
          ScheduleSearch.of(questions)
              .maxDrop(maxDrop)
              .layers(layers.stream().mapToInt(Integer::intValue).toArray())
              .score(score)
              .limit(limit)
              .seed(seed)
              .maxNewTokens(maxNewTokens)
              .promptStyle(PromptStyle.parse(promptSuffix, load.isEmbedded()))
              .listener(progress)
              .build();
      if (!questions.skipped().isEmpty()) {
        progress.said(questions.skippedInWords());
      }
      try (Squint squint = load.load(options)) {
        report(squint.facts(), search.run(squint), target);
      }
    }
  }

  private void report(ModelShape facts, ScheduleSearch.Result found, ScheduleTarget target) {
    String accuracy =
        text(
            "%.2f %% of %d questions right, %.2f %% unpruned",
            100.0 * found.right() / found.questions(),
            found.questions(),
            100.0 * found.unpruned() / found.questions());
    String strategy = text("%s:score=%s,file=%s", NAME, score, out);
    target.write(
        List.of(
            text(
                "G-Search of %s on %s, seed %d, at most %s points",
                facts.name(), data, seed, maxDrop),
            accuracy,
            "run it with --strategy " + strategy,
            "first layer that runs pruned, share of the visual tokens from there on"),
        found.schedule());
    Rows rows = new Rows();
    for (int site = 0; site < found.schedule().layers().size(); site++) {
      rows.add(
          "from layer " + found.schedule().layers().get(site),
          "%d of %d visual tokens",
          Math.round(found.schedule().shares().get(site) * facts.visualTokens()),
          facts.visualTokens());
    }
    rows.add("accuracy", "%s", accuracy);
    rows.add("prefill FLOPs", "%.1f %% of unpruned", 100 * found.prefillLeft());
    rows.add("run it with", "--strategy %s", strategy);
    PrintWriter print = spec.commandLine().getOut();
    print.print(rows);
    print.flush();
  }

  private static String text(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
