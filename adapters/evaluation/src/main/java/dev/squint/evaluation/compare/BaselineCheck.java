package dev.squint.evaluation.compare;

import dev.squint.DataException;
import dev.squint.evaluation.Setting;
import dev.squint.evaluation.SettingException;
import dev.squint.evaluation.data.PromptStyle;
import dev.squint.evaluation.report.Configuration;
import dev.squint.evaluation.report.Summary;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * A comparison held against an earlier one, setting by setting.
 *
 * @param margin points of the plotted metric that may be lost
 * @param speedMargin percent of the speedup that may be lost
 */
public record BaselineCheck(double margin, double speedMargin) {

  private static final double POINTS = 100;
  private static final double ROUNDING = 1e-9;

  /**
   * What came of it.
   *
   * @param lines a line per setting of both, one for each that only one of them has, and a last one
   *     that counts
   * @param worse how many settings lost more than the margins allow or are missing, and one more
   *     where the questions are not the same
   */
  public record Result(List<String> lines, int worse) {}

  /** Checks the margins. */
  public BaselineCheck {
    check(Setting.MARGIN, margin);
    check(Setting.SPEED_MARGIN, speedMargin);
  }

  private static void check(Setting setting, double margin) {
    if (!(margin >= 0)) {
      throw new SettingException("%s %s is no margin; choose 0 or more", setting, margin);
    }
  }

  /**
   * Refuses a baseline that cannot be compared, before anything is asked.
   *
   * @param old the earlier comparison
   * @param data name of the data set now
   * @param dataHash hash of its questions
   * @param promptSuffix the sentence after each question now; empty if there is none
   * @param metric metric that is plotted now
   * @throws DataException if it asked different questions or used another metric
   */
  public void checkComparable(
      Summary old, String data, String dataHash, String promptSuffix, String metric) {
    if (!old.run().dataHash().equals(dataHash)) {
      throw new DataException(
          "the baseline asked other questions (%s); compare with a run on %s"
              .formatted(old.run().data(), data));
    }
    if (!old.run().promptSuffix().equals(promptSuffix)) {
      throw new SettingException(
          "the baseline put its questions otherwise; give %s '%s'",
          Setting.PROMPT_SUFFIX,
          old.run().promptSuffix().isEmpty() ? PromptStyle.NONE : old.run().promptSuffix());
    }
    if (!old.run().metric().equals(metric)) {
      throw new SettingException(
          "the baseline was scored by %s; give %s %s",
          old.run().metric(), Setting.METRIC, old.run().metric());
    }
  }

  /**
   * Compares.
   *
   * @param old the earlier comparison
   * @param now this one
   * @return the differences
   * @throws DataException if they asked different questions or used different metrics
   */
  public Result compare(Summary old, Summary now) {
    checkComparable(
        old, now.run().data(), now.run().dataHash(), now.run().promptSuffix(), now.run().metric());
    List<String> lines = new ArrayList<>();
    int worse = 0;
    if (old.run().questions() != now.run().questions()) {
      worse++;
      lines.add(
          "the baseline asked %d questions, this run %d WORSE: not the same questions"
              .formatted(old.run().questions(), now.run().questions()));
    }
    if (old.run().seed() != now.run().seed()) {
      boolean drawn = now.run().questions() < now.run().available();
      worse += drawn ? 1 : 0;
      lines.add(
          "the baseline drew with seed %d, this run with %d%s"
              .formatted(
                  old.run().seed(),
                  now.run().seed(),
                  drawn ? " WORSE: not the same questions" : ", so random selection differs"));
    }
    if (!old.run().modelHash().equals(now.run().modelHash())) {
      lines.add("the model's files differ from those of the baseline");
    }
    if (isTimed(old) && !isTimed(now)) {
      lines.add("times were not measured in this run, so speed was not compared");
    }
    Map<String, Configuration> before = byName(old);
    Map<String, Configuration> after = byName(now);
    int compared = 0;
    for (Map.Entry<String, Configuration> entry : before.entrySet()) {
      Configuration configuration = after.get(entry.getKey());
      if (configuration == null) {
        worse++;
        lines.add("%s: %s WORSE: missing".formatted(entry.getKey(), missing(entry.getKey(), now)));
      } else {
        compared++;
        worse +=
            compare(
                entry.getValue(),
                configuration,
                now.run().metric(),
                isSameMachine(old, now),
                lines);
      }
    }
    after.keySet().stream()
        .filter(id -> !before.containsKey(id))
        .forEach(id -> lines.add("%s: not in the baseline".formatted(id)));
    lines.add(
        "%d of %d settings of the baseline compared, %d worse"
            .formatted(compared, before.size(), worse));
    return new Result(List.copyOf(lines), worse);
  }

  private static Map<String, Configuration> byName(Summary summary) {
    Map<String, Configuration> configurations = new LinkedHashMap<>();
    Configuration.of(summary)
        .forEach(configuration -> configurations.put(configuration.name(), configuration));
    return configurations;
  }

  private static boolean isTimed(Summary summary) {
    return summary.configs().stream().anyMatch(config -> config.measured().isPresent());
  }

  private static String missing(String id, Summary now) {
    return now.configs().stream()
        .filter(config -> config.id().equals(id))
        .flatMap(config -> config.refused().stream())
        .findFirst()
        .map(reason -> "cannot run any more: " + reason)
        .orElse("not in this run");
  }

  private static boolean isSameMachine(Summary old, Summary now) {
    return old.machine().processor().equals(now.machine().processor())
        && old.machine().provider().equals(now.machine().provider())
        && old.machine().cores() == now.machine().cores()
        && old.machine().threads() == now.machine().threads();
  }

  /** Adds a line; 1 if the setting is worse than allowed. */
  private int compare(
      Configuration old,
      Configuration now,
      String metric,
      boolean sameMachine,
      List<String> lines) {
    double points = POINTS * (now.score(metric) - old.score(metric));
    boolean lessAccurate = points < -margin - ROUNDING;
    Optional<Change> speed = speed(old, now, sameMachine);
    boolean slower =
        speed.isPresent()
            && speed.get().percent() < -speedMargin - ROUNDING
            && speed.get().isCertain();
    lines.add(
        String.format(
            Locale.ROOT,
            "%s: %s %.4g -> %.4g (%+.2f points)%s%s",
            now.id(),
            metric,
            old.score(metric),
            now.score(metric),
            points,
            speed
                .map(change -> String.format(Locale.ROOT, ", speed %+.1f %%", change.percent()))
                .orElse(""),
            verdict(lessAccurate, slower)));
    return lessAccurate || slower ? 1 : 0;
  }

  private static String verdict(boolean lessAccurate, boolean slower) {
    if (lessAccurate && slower) {
      return " WORSE: accuracy and speed";
    }
    return lessAccurate ? " WORSE: accuracy" : slower ? " WORSE: speed" : "";
  }

  /**
   * How speed changed.
   *
   * @param percent negative if it fell
   * @param isCertain whether the intervals of both lie apart
   */
  private record Change(double percent, boolean isCertain) {}

  /**
   * Of the speedup over the unpruned model, which stays on another machine; of the unpruned model
   * itself by its median time, on the same machine only, where 19 of 20 requests were faster then.
   */
  private static Optional<Change> speed(Configuration old, Configuration now, boolean sameMachine) {
    boolean timed =
        old.draws().stream().allMatch(config -> config.measured().isPresent())
            && now.draws().stream().allMatch(config -> config.measured().isPresent());
    if (!timed) {
      return Optional.empty();
    }
    if (now.id().equals(ConfigGrid.NONE)) {
      Summary.Spent before = old.draws().get(0).measured().orElseThrow().totalMillis();
      double after = now.draws().get(0).measured().orElseThrow().totalMillis().median();
      return sameMachine
          ? Optional.of(new Change(POINTS * (before.median() / after - 1), after > before.p95()))
          : Optional.empty();
    }
    double change =
        now.mean(config -> speedup(config).value()) / old.mean(config -> speedup(config).value());
    boolean apart =
        now.most(config -> speedup(config).high()) < old.least(config -> speedup(config).low());
    return Optional.of(new Change(POINTS * (change - 1), apart));
  }

  private static Summary.Estimate speedup(Summary.RunSummary config) {
    return config.measured().orElseThrow().totalSpeedup();
  }
}
