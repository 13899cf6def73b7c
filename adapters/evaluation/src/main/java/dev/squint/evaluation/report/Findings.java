package dev.squint.evaluation.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What a comparison says, in sentences made from its figures.
 *
 * @param summary the figures
 */
record Findings(Summary summary) {

  private static final List<String> BASELINES = List.of("random", "uniform", "resize");
  private static final String NONE = "none";
  private static final double POINT = 0.01;
  private static final double ROUNDING = 1e-9;
  private static final double[] SHARES = {0.75, 0.5, 0.25};

  List<String> sentences() {
    List<Configuration> configurations =
        Configuration.of(summary).stream()
            .filter(configuration -> configuration.draws().get(0).scores().containsKey(metric()))
            .toList();
    Optional<Configuration> whole =
        configurations.stream()
            .filter(configuration -> configuration.id().equals(NONE))
            .findFirst();
    if (whole.isEmpty() || configurations.size() == 1) {
      return List.of();
    }
    if (value(whole.get()) == 0) {
      return List.of(
          text(
              "The unpruned model scores 0 (%s), so nothing can be said of what pruning loses.",
              correct(whole.get())));
    }
    List<String> sentences = new ArrayList<>();
    sentences.add(cheapest(configurations, whole.get()));
    bestWithin(configurations).ifPresent(sentences::add);
    rivals(configurations).ifPresent(sentences::add);
    return sentences;
  }

  private String metric() {
    return summary.run().metric();
  }

  private double value(Configuration configuration) {
    return configuration.score(metric());
  }

  private String cheapest(List<Configuration> configurations, Configuration whole) {
    Configuration found =
        configurations.stream()
            .filter(configuration -> value(whole) - value(configuration) <= POINT + ROUNDING)
            .min(Comparator.comparingDouble(Configuration::flopsLeft))
            .orElse(whole);
    if (found.id().equals(NONE)) {
      return text(
          "No setting stays within one point of the unpruned %s (%s).",
          figure(whole), correct(whole));
    }
    return text(
        "Cheapest within one point of the unpruned %s (%s): %s with %s (%s) at %.0f %% of the FLOPs; 95 %% interval of the points lost %.2f to %.2f.",
        figure(whole),
        correct(whole),
        found.id(),
        figure(found),
        correct(found),
        100 * found.flopsLeft(),
        100 * found.least(config -> config.against().orElseThrow().drop().low()) + 0.0,
        100 * found.most(config -> config.against().orElseThrow().drop().high()) + 0.0);
  }

  private Optional<String> bestWithin(List<Configuration> configurations) {
    List<String> parts = new ArrayList<>();
    for (double share : SHARES) {
      configurations.stream()
          .filter(configuration -> configuration.flopsLeft() <= share)
          .max(
              Comparator.comparingDouble(this::value)
                  .thenComparing(Comparator.comparingDouble(Configuration::flopsLeft).reversed()))
          .ifPresent(
              best -> parts.add(text("%.0f %%: %s (%s)", 100 * share, best.id(), figure(best))));
    }
    return parts.isEmpty()
        ? Optional.empty()
        : Optional.of(
            "Most accurate within a share of the FLOPs: " + String.join("; ", parts) + ".");
  }

  /** How many settings of methods a baseline at no more FLOPs equals. */
  private Optional<String> rivals(List<Configuration> configurations) {
    List<Configuration> methods =
        configurations.stream()
            .filter(
                configuration ->
                    !BASELINES.contains(name(configuration)) && !configuration.id().equals(NONE))
            .filter(configuration -> configuration.flopsLeft() < 1)
            .toList();
    if (methods.isEmpty()) {
      return Optional.empty();
    }
    List<String> parts = new ArrayList<>();
    for (String baseline : BASELINES) {
      List<Configuration> own =
          configurations.stream()
              .filter(configuration -> name(configuration).equals(baseline))
              .toList();
      if (!own.isEmpty()) {
        long beaten = methods.stream().filter(method -> equalled(method, own)).count();
        parts.add("%s %d".formatted(baseline, beaten));
      }
    }
    return Optional.of(
        text(
            "Of %d settings of methods that save FLOPs, so many are no more accurate than a baseline that costs no more: %s.",
            methods.size(), String.join(", ", parts)));
  }

  private static String name(Configuration configuration) {
    return configuration.series().split(":", 2)[0].strip();
  }

  private boolean equalled(Configuration method, List<Configuration> baseline) {
    return baseline.stream()
        .anyMatch(
            own ->
                own.flopsLeft() <= method.flopsLeft() + ROUNDING
                    && value(own) >= value(method) - ROUNDING);
  }

  private String figure(Configuration configuration) {
    return text("%.1f%s", 100 * value(configuration), summary.run().exceedsOne() ? "" : " %");
  }

  private String correct(Configuration configuration) {
    int total = configuration.draws().get(0).scores().get(metric()).total();
    if (configuration.draws().get(0).against().orElseThrow().p().isEmpty()) {
      return text("%d questions", total);
    }
    double correct = configuration.mean(config -> config.scores().get(metric()).correct());
    boolean whole = configuration.draws().size() == 1 && correct == Math.rint(correct);
    return text(whole ? "%.0f/%d" : "%.1f/%d", correct, total);
  }

  private static String text(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
