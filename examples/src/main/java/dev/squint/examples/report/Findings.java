package dev.squint.examples.report;

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
  private static final double[] SHARES = {0.75, 0.5, 0.25};

  List<String> sentences() {
    List<Summary.Cell> cells =
        summary.cells().stream()
            .filter(cell -> cell.cost().isPresent() && cell.scores().containsKey(metric()))
            .toList();
    List<String> sentences = new ArrayList<>();
    Optional<Summary.Cell> whole =
        cells.stream().filter(cell -> cell.id().equals(NONE)).findFirst();
    if (whole.isEmpty() || cells.size() == 1) {
      return sentences;
    }
    sentences.add(cheapest(cells, whole.get()));
    bestWithin(cells).ifPresent(sentences::add);
    rivals(cells).ifPresent(sentences::add);
    return sentences;
  }

  private String metric() {
    return summary.run().metric();
  }

  private double value(Summary.Cell cell) {
    return cell.scores().get(metric()).value();
  }

  private static double flops(Summary.Cell cell) {
    return cell.cost().orElseThrow().flopsLeft();
  }

  private String cheapest(List<Summary.Cell> cells, Summary.Cell whole) {
    Summary.Cell found =
        cells.stream()
            .filter(cell -> value(whole) - value(cell) <= POINT)
            .min(Comparator.comparingDouble(Findings::flops))
            .orElse(whole);
    if (found.id().equals(NONE)) {
      return text(
          "No setting stays within one point of the unpruned %s (%s).",
          figure(whole), correct(whole));
    }
    return text(
        "Cheapest within one point of the unpruned %s (%s): %s with %s (%s) at %.0f %% of the FLOPs.",
        figure(whole),
        correct(whole),
        found.id(),
        figure(found),
        correct(found),
        100 * flops(found));
  }

  private Optional<String> bestWithin(List<Summary.Cell> cells) {
    List<String> parts = new ArrayList<>();
    for (double share : SHARES) {
      cells.stream()
          .filter(cell -> flops(cell) <= share)
          .max(Comparator.comparingDouble(this::value))
          .ifPresent(
              best -> parts.add(text("%.0f %%: %s (%s)", 100 * share, best.id(), figure(best))));
    }
    return parts.isEmpty()
        ? Optional.empty()
        : Optional.of(
            "Most accurate within a share of the FLOPs: " + String.join("; ", parts) + ".");
  }

  /** How many settings of methods a baseline at no more FLOPs equals. */
  private Optional<String> rivals(List<Summary.Cell> cells) {
    List<Summary.Cell> methods =
        cells.stream()
            .filter(cell -> !BASELINES.contains(cell.series()) && !cell.id().equals(NONE))
            .filter(cell -> flops(cell) < 1)
            .toList();
    if (methods.isEmpty()) {
      return Optional.empty();
    }
    List<String> parts = new ArrayList<>();
    for (String baseline : BASELINES) {
      List<Summary.Cell> own =
          cells.stream().filter(cell -> cell.series().equals(baseline)).toList();
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

  private boolean equalled(Summary.Cell method, List<Summary.Cell> baseline) {
    return baseline.stream()
        .anyMatch(own -> flops(own) <= flops(method) + 1e-9 && value(own) >= value(method));
  }

  private String figure(Summary.Cell cell) {
    return value(cell) > 1 ? text("%.3f", value(cell)) : text("%.1f %%", 100 * value(cell));
  }

  private String correct(Summary.Cell cell) {
    Summary.Score score = cell.scores().get(metric());
    return score.correct() == Math.rint(score.correct())
        ? text("%.0f/%d", score.correct(), score.total())
        : text("%d questions", score.total());
  }

  private static String text(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
