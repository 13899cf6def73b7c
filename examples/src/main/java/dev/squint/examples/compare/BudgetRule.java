package dev.squint.examples.compare;

import dev.squint.adapters.DataException;
import dev.squint.examples.report.Summary;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a setting may cost and lose, and the cheapest that keeps to it.
 *
 * @param measure what is limited
 * @param most the limit, a share of the unpruned model's
 * @param maxDrop points of the plotted metric that may be lost
 */
public record BudgetRule(Measure measure, double most, double maxDrop) {

  private static final Pattern RULE = Pattern.compile("\\s*([a-z]+)\\s*<=\\s*([0-9.]+)\\s*");
  private static final double POINTS = 100;

  /** What can be limited, as a share of the unpruned model's. */
  enum Measure {
    /** FLOPs of vision, prefill and decoding. */
    FLOPS,
    /** FLOPs of the prefill. */
    PREFILL,
    /** KV cache. */
    KV,
    /** Visual tokens averaged over the layers. */
    TOKENS;

    double of(Summary.Cell cell, double visualTokens) {
      Summary.Cost cost = cell.cost().orElseThrow();
      return switch (this) {
        case FLOPS -> cost.flopsLeft();
        case PREFILL -> cost.prefillLeft();
        case KV -> cost.kvLeft();
        case TOKENS -> cost.averageTokens() / visualTokens;
      };
    }

    String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * Reads a rule.
   *
   * @param text such as {@code flops<=0.4}
   * @param maxDrop points that may be lost
   * @throws DataException if it is none
   */
  public static BudgetRule parse(String text, double maxDrop) {
    Matcher found = RULE.matcher(text);
    if (!(maxDrop >= 0)) {
      throw new DataException(
          "--max-drop %s is no number of points; choose 0 or more".formatted(maxDrop));
    }
    if (found.matches()) {
      for (Measure measure : Measure.values()) {
        if (measure.word().equals(found.group(1)) && found.group(2).matches("\\d*\\.?\\d+")) {
          return new BudgetRule(measure, Double.parseDouble(found.group(2)), maxDrop);
        }
      }
    }
    throw new DataException(
        "--budget '%s' is no rule; write flops, prefill, kv or tokens, then <= and a share such as flops<=0.4"
            .formatted(text));
  }

  /**
   * The cell that costs least of those that keep to the rule; among equals the more accurate.
   *
   * @param summary a comparison
   * @return the cell, or nothing
   */
  public Optional<Summary.Cell> cheapest(Summary summary) {
    return candidates(summary).stream()
        .filter(cell -> cost(cell, summary) <= most)
        .filter(cell -> POINTS * cell.against().orElseThrow().drop().value() <= maxDrop)
        .min(
            Comparator.comparingDouble((Summary.Cell cell) -> cost(cell, summary))
                .thenComparing(cell -> cell.against().orElseThrow().drop().value()));
  }

  private static List<Summary.Cell> candidates(Summary summary) {
    return summary.cells().stream()
        .filter(cell -> cell.cost().isPresent() && cell.against().isPresent())
        .toList();
  }

  private double cost(Summary.Cell cell, Summary summary) {
    return measure.of(cell, summary.run().visualTokens());
  }

  /** The answer in a line. */
  public String say(Summary summary) {
    Optional<Summary.Cell> found = cheapest(summary);
    if (found.isPresent()) {
      Summary.Cell cell = found.get();
      return "%s: %s".formatted(cell.id(), figures(cell, summary));
    }
    Optional<Summary.Cell> nearest =
        candidates(summary).stream()
            .filter(cell -> cost(cell, summary) <= most)
            .min(Comparator.comparingDouble(cell -> cell.against().orElseThrow().drop().value()));
    return "nothing holds %s<=%s with at most %s points lost%s"
        .formatted(
            measure.word(),
            number(most),
            number(maxDrop),
            nearest
                .map(cell -> "; nearest is %s: %s".formatted(cell.id(), figures(cell, summary)))
                .orElse("; no setting costs so little"));
  }

  private String figures(Summary.Cell cell, Summary summary) {
    Summary.Score score = cell.scores().get(summary.run().metric());
    Summary.Estimate drop = cell.against().orElseThrow().drop();
    return String.format(
        Locale.ROOT,
        "%.1f %% of the unpruned %s, %s %.4g (95 %% interval %.4g to %.4g, %d questions), %+.2f points (%+.2f to %+.2f)",
        POINTS * cost(cell, summary),
        measure.word(),
        summary.run().metric(),
        score.value(),
        score.low(),
        score.high(),
        score.total(),
        -POINTS * drop.value(),
        -POINTS * drop.high(),
        -POINTS * drop.low());
  }

  private static String number(double value) {
    return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
  }
}
