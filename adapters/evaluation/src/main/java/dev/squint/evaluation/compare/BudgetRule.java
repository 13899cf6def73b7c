package dev.squint.evaluation.compare;

import dev.squint.evaluation.Setting;
import dev.squint.evaluation.SettingException;
import dev.squint.evaluation.report.Configuration;
import dev.squint.evaluation.report.Summary;
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
      throw new SettingException(
          "%s %s is no number of points; choose 0 or more", Setting.MAX_DROP, maxDrop);
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

    double of(Summary.RunSummary config, double visualTokens) {
      Summary.Cost cost = config.cost().orElseThrow();
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
   * @throws SettingException if it is none, or holds always
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
    throw new SettingException(
        "%s '%s' is no rule; write flops, prefill, kv or tokens, then <= and a share such as flops<=0.4",
        Setting.BUDGET, text);
  }

  private static BudgetRule of(Measure measure, double most, double maxDrop) {
    if (most > 1) {
      throw new SettingException(
          "%s %s<=%s holds always, since 1 is all of the unpruned model's; for percents write %s<=%s",
          Setting.BUDGET, measure.word(), number(most), measure.word(), number(most / POINTS));
    }
    return new BudgetRule(measure, most, maxDrop);
  }

  /**
   * The setting that costs least of those that keep to the rule; among equals the more accurate.
   *
   * @param summary a comparison
   * @return the setting, or nothing
   */
  public Optional<Configuration> cheapest(Summary summary) {
    checkKnown(summary);
    if (unprunedScore(summary) == 0) {
      return Optional.empty();
    }
    return Configuration.of(summary).stream()
        .filter(configuration -> cost(configuration, summary) <= most + ROUNDING)
        .filter(configuration -> POINTS * configuration.drop() <= maxDrop + ROUNDING)
        .min(
            Comparator.comparingDouble(
                    (Configuration configuration) -> cost(configuration, summary))
                .thenComparing(Configuration::drop));
  }

  private void checkKnown(Summary summary) {
    boolean counted = summary.configs().stream().anyMatch(config -> config.cost().isPresent());
    if (!counted || measure == Measure.TOKENS && summary.run().visualTokens() == 0) {
      throw new SettingException(
          "what the answers cost is not known, so %s %s cannot be held against it; leave it out",
          Setting.BUDGET, measure.word());
    }
  }

  private static double unprunedScore(Summary summary) {
    return Configuration.of(summary).stream()
        .filter(configuration -> configuration.id().equals(ConfigGrid.NONE))
        .mapToDouble(configuration -> configuration.score(summary.run().metric()))
        .findFirst()
        .orElse(0);
  }

  private double cost(Configuration configuration, Summary summary) {
    return configuration.mean(config -> measure.of(config, summary.run().visualTokens()));
  }

  /** The answer in a line. */
  public String say(Summary summary) {
    checkKnown(summary);
    if (unprunedScore(summary) == 0) {
      return "the unpruned model scores 0, so no setting can be judged by what it loses";
    }
    Optional<Configuration> found = cheapest(summary);
    if (found.isPresent()) {
      return "%s: %s".formatted(found.get().id(), figures(found.get(), summary));
    }
    Optional<Configuration> nearest =
        Configuration.of(summary).stream()
            .filter(configuration -> cost(configuration, summary) <= most + ROUNDING)
            .min(Comparator.comparingDouble(Configuration::drop));
    return "nothing holds %s<=%s with at most %s points lost%s"
        .formatted(
            measure.word(),
            number(most),
            number(maxDrop),
            nearest
                .map(
                    configuration ->
                        "; nearest is %s: %s"
                            .formatted(configuration.id(), figures(configuration, summary)))
                .orElse("; no setting costs so little"));
  }

  /** Of several draws the intervals are those of the outermost. */
  private String figures(Configuration configuration, Summary summary) {
    String metric = summary.run().metric();
    return String.format(
        Locale.ROOT,
        "%.1f %% of the unpruned %s, %s %.4g (95 %% interval %.4g to %.4g, %d questions), %+.2f points (%+.2f to %+.2f)",
        POINTS * cost(configuration, summary),
        measure.word(),
        metric,
        configuration.score(metric),
        configuration.least(config -> config.scores().get(metric).low()),
        configuration.most(config -> config.scores().get(metric).high()),
        configuration.draws().get(0).scores().get(metric).total(),
        0.0 - POINTS * configuration.drop(),
        0.0 - POINTS * configuration.most(config -> config.against().orElseThrow().drop().high()),
        0.0 - POINTS * configuration.least(config -> config.against().orElseThrow().drop().low()));
  }

  private static String number(double value) {
    return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
  }
}
