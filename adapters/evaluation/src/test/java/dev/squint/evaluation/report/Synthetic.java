package dev.squint.evaluation.report;

import dev.squint.evaluation.metrics.McNemar;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A summary whose figures a formula made; nothing in it was measured. */
final class Synthetic {

  static final String METRIC = "exact_match";
  private static final double[] KEEPS = {0.75, 0.5, 0.25, 0.1, 0.05};
  private static final int QUESTIONS = 1000;
  static final int ONLY_UNPRUNED = 30;
  static final int ONLY_PRUNED = 10;

  private Synthetic() {}

  /** The unpruned model, the baselines and so many methods; {@code </script>} among the names. */
  static Summary summary(int methods, boolean measured) {
    List<Summary.RunSummary> configs = new ArrayList<>();
    configs.add(config("none", "none", Optional.empty(), 0, 0.975, 1, measured));
    List<Summary.Spread> spreads = new ArrayList<>();
    for (double keep : KEEPS) {
      for (int seed = 0; seed < 3; seed++) {
        configs.add(
            config(
                "random:keep=%s seed %d".formatted(keep, seed),
                "random",
                Optional.of(keep),
                seed,
                0.5 + 0.4 * keep + 0.01 * seed,
                0.4 + 0.6 * keep,
                measured));
      }
      double mean = 0.51 + 0.4 * keep;
      spreads.add(new Summary.Spread(keep, 3, mean, mean - 0.01, mean + 0.01, 0.01));
      configs.add(
          config(
              "resize:keep=" + keep,
              "resize",
              Optional.of(keep),
              0,
              0.3 + 0.65 * keep,
              keep,
              measured));
    }
    for (int method = 0; method < methods; method++) {
      for (double keep : KEEPS) {
        String series = method == 0 ? "</script><b>odd</b>" : "method-" + method;
        configs.add(
            config(
                series + ":keep=" + keep,
                series,
                Optional.of(keep),
                0,
                0.97 - (1 - keep) * (0.02 + 0.012 * method),
                0.4 + 0.6 * keep - 0.004 * method,
                measured));
      }
    }
    configs.add(
        new Summary.RunSummary(
            "mustdrop:keep=0.05",
            "mustdrop",
            "mustdrop:keep=0.05",
            Optional.of(0.05),
            0,
            Optional.of("strategy 'mustdrop': too <few> tokens"),
            0,
            Map.of(),
            Map.of(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty()));
    return new Summary(
        new Summary.Run(
            "tiny",
            "ab".repeat(32),
            "scenes",
            "easy-VQA",
            "cd".repeat(32),
            METRIC,
            QUESTIONS,
            QUESTIONS,
            1,
            0,
            16,
            144,
            8,
            "USER: <image>\n%s ASSISTANT:",
            "Answer in a <word>.",
            false),
        new Summary.Machine(
            "a processor", 2, 8L << 30, "Linux amd64", "Java 17", "1.29.0", "0.1.0", "cpu", 2),
        configs,
        spreads,
        Optional.of(discordant(configs)),
        List.of("a note with <angles>"));
  }

  private static Summary.Discordant discordant(List<Summary.RunSummary> configs) {
    List<String> ran =
        configs.stream()
            .filter(config -> config.refused().isEmpty())
            .map(Summary.RunSummary::id)
            .toList();
    List<List<Integer>> wins = new ArrayList<>();
    for (int i = 0; i < ran.size(); i++) {
      List<Integer> row = new ArrayList<>();
      for (int j = 0; j < ran.size(); j++) {
        row.add(i == j ? 0 : i == 0 ? ONLY_UNPRUNED : ONLY_PRUNED);
      }
      wins.add(row);
    }
    return new Summary.Discordant(ran, wins);
  }

  private static Summary.RunSummary config(
      String id,
      String series,
      Optional<Double> keep,
      long seed,
      double value,
      double flops,
      boolean measured) {
    Map<String, Summary.Score> types = new LinkedHashMap<>();
    types.put("color", score(Math.min(1, value + 0.01)));
    types.put("count", score(value - 0.1));
    return new Summary.RunSummary(
        id,
        series,
        id,
        keep,
        seed,
        Optional.empty(),
        0,
        Map.of(METRIC, score(value)),
        types,
        Optional.of(
            new Summary.Against(
                Optional.of(estimate(value / 0.975)),
                estimate(0.975 - value),
                score(value),
                Optional.of(ONLY_UNPRUNED),
                Optional.of(ONLY_PRUNED),
                Optional.of(McNemar.exact(ONLY_UNPRUNED, ONLY_PRUNED)))),
        Optional.of(
            new Summary.Cost(
                144 * flops,
                7,
                144,
                144 * flops,
                3e8,
                5e8 * flops,
                4e6,
                flops,
                flops,
                Map.of("fastv", flops),
                6e5 * flops,
                flops)),
        measured ? Optional.of(measured(flops)) : Optional.empty());
  }

  private static Summary.Score score(double value) {
    double rounded = Math.round(value * QUESTIONS) / (double) QUESTIONS;
    return new Summary.Score(
        rounded,
        rounded * QUESTIONS,
        QUESTIONS,
        Math.max(0, rounded - 0.02),
        Math.min(1, rounded + 0.02));
  }

  private static Summary.Estimate estimate(double value) {
    return new Summary.Estimate(value, value - 0.02, value + 0.02);
  }

  private static Summary.Measured measured(double flops) {
    Summary.Spent spent = new Summary.Spent(10 * flops, 12 * flops);
    return new Summary.Measured(
        20,
        spent,
        spent,
        spent,
        spent,
        spent,
        estimate(0.9 / flops),
        1 / flops,
        estimate(0.8 / flops),
        List.of(
            new Summary.Load(1, 100 / flops, 10, 12),
            new Summary.Load(4, 180 / flops, 20, 30),
            new Summary.Load(16, 190 / flops, 80, 90)),
        Optional.of(500_000_000L),
        Optional.empty());
  }

  /** Two questions with an image of a single pixel; the question tries to end the script. */
  static List<GalleryItem> gallery(byte[] image) {
    String question = "what is </script><img src=x onerror=alert(1)>?";
    return List.of(
        new GalleryItem("method-1:keep=0.5", question, List.of("2"), "3", "2", true, image),
        new GalleryItem("method-2:keep=0.5", question, List.of("2"), "2", "3", false, image));
  }
}
