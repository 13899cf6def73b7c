package dev.squint.examples.compare;

import dev.squint.adapters.DataException;
import dev.squint.examples.report.Setting;
import dev.squint.examples.report.Summary;
import java.util.Comparator;
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

  /** One minus 0.99 is a little more than one point. */
  private static final double ROUNDING = 1e-9;

  /** Checks the points. */
  public BudgetRule {
    if (!(maxDrop >= 0)) {
      throw new DataException(
          "--max-drop %s is no number of points; choose 0 or more".formatted(maxDrop));
    }
  }

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
   * @throws DataException if it is none, or holds always
   */
  public static BudgetRule parse(String text, double maxDrop) {
    Matcher found = RULE.matcher(text);
    if (found.matches()) {
      for (Measure measure : Measure.values()) {
        if (measure.word().equals(found.group(1)) && found.group(2).matches("\\d*\\.?\\d+")) {
          return of(measure, Double.parseDouble(found.group(2)), maxDrop);
        }
      }
    }
    throw new DataException(
        "--budget '%s' is no rule; write flops, prefill, kv or tokens, then <= and a share such as flops<=0.4"
            .formatted(text));
  }

  private static BudgetRule of(Measure measure, double most, double maxDrop) {
    if (most > 1) {
      throw new DataException(
          "--budget %s<=%s holds always, since 1 is all of the unpruned model's; for percents write %s<=%s"
              .formatted(measure.word(), number(most), measure.word(), number(most / POINTS)));
    }
    return new BudgetRule(measure, most, maxDrop);
  }

  /**
   * The setting that costs least of those that keep to the rule; among equals the more accurate.
   *
   * @param summary a comparison
   * @return the setting, or nothing
   */
  public Optional<Setting> cheapest(Summary summary) {
    if (unprunedScore(summary) == 0) {
      return Optional.empty();
    }
    return Setting.of(summary).stream()
        .filter(setting -> cost(setting, summary) <= most + ROUNDING)
        .filter(setting -> POINTS * setting.drop() <= maxDrop + ROUNDING)
        .min(
            Comparator.comparingDouble((Setting setting) -> cost(setting, summary))
                .thenComparing(Setting::drop));
  }

  private static double unprunedScore(Summary summary) {
    return Setting.of(summary).stream()
        .filter(setting -> setting.id().equals(CellGrid.NONE))
        .mapToDouble(setting -> setting.score(summary.run().metric()))
        .findFirst()
        .orElse(0);
  }

  private double cost(Setting setting, Summary summary) {
    return setting.mean(cell -> measure.of(cell, summary.run().visualTokens()));
  }

  /** The answer in a line. */
  public String say(Summary summary) {
    if (unprunedScore(summary) == 0) {
      return "the unpruned model scores 0, so no setting can be judged by what it loses";
    }
    Optional<Setting> found = cheapest(summary);
    if (found.isPresent()) {
      return "%s: %s".formatted(found.get().id(), figures(found.get(), summary));
    }
    Optional<Setting> nearest =
        Setting.of(summary).stream()
            .filter(setting -> cost(setting, summary) <= most + ROUNDING)
            .min(Comparator.comparingDouble(Setting::drop));
    return "nothing holds %s<=%s with at most %s points lost%s"
        .formatted(
            measure.word(),
            number(most),
            number(maxDrop),
            nearest
                .map(
                    setting ->
                        "; nearest is %s: %s".formatted(setting.id(), figures(setting, summary)))
                .orElse("; no setting costs so little"));
  }

  /** Of several draws the intervals are those of the outermost. */
  private String figures(Setting setting, Summary summary) {
    String metric = summary.run().metric();
    return String.format(
        Locale.ROOT,
        "%.1f %% of the unpruned %s, %s %.4g (95 %% interval %.4g to %.4g, %d questions), %+.2f points (%+.2f to %+.2f)",
        POINTS * cost(setting, summary),
        measure.word(),
        metric,
        setting.score(metric),
        setting.least(cell -> cell.scores().get(metric).low()),
        setting.most(cell -> cell.scores().get(metric).high()),
        setting.draws().get(0).scores().get(metric).total(),
        0.0 - POINTS * setting.drop(),
        0.0 - POINTS * setting.most(cell -> cell.against().orElseThrow().drop().high()),
        0.0 - POINTS * setting.least(cell -> cell.against().orElseThrow().drop().low()));
  }

  private static String number(double value) {
    return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
  }
}
