package dev.squint.evaluation.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.DataException;
import dev.squint.evaluation.report.Summary;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class BaselineCheckTest {

  private static final String METRIC = "exact_match";

  private static Summary summary(String dataHash, Summary.RunSummary... configs) {
    return new Summary(
        new Summary.Run(
            "tiny", "model", "data", "CSV", dataHash, METRIC, 100, 100, 0, 0, 16, 144, 8, "%s", "",
            false),
        new Summary.Machine("cpu", 2, 1, "os", "java", "ort", "squint", "cpu", 2),
        List.of(configs),
        List.of(),
        Optional.empty(),
        List.of());
  }

  private static Summary.Estimate exactly(double value) {
    return new Summary.Estimate(value, value, value);
  }

  private static Summary.RunSummary config(String id, double value, double flops, double speedup) {
    return config(id, id, value, flops, speedup);
  }

  private static Summary.RunSummary config(
      String id, String series, double value, double flops, double speedup) {
    Summary.Score score = new Summary.Score(value, 100 * value, 100, value - 0.05, value + 0.05);
    Summary.Spent spent = new Summary.Spent(10 / speedup, 12 / speedup);
    return new Summary.RunSummary(
        id,
        series,
        id,
        Optional.empty(),
        0,
        Optional.empty(),
        0,
        Map.of(METRIC, score),
        Map.of(),
        Optional.of(
            new Summary.Against(
                Optional.of(exactly(value)),
                exactly(1 - value),
                score,
                Optional.of(0),
                Optional.of(0),
                Optional.of(1.0))),
        Optional.of(
            new Summary.Cost(10, 10, 10, 72, 1, 1, 1, flops, flops, Map.of(), 1, flops / 2)),
        Optional.of(
            new Summary.Measured(
                5,
                spent,
                spent,
                spent,
                spent,
                spent,
                exactly(speedup),
                2,
                exactly(speedup),
                List.of(),
                Optional.empty(),
                Optional.empty())));
  }

  @Test
  void accuracyAndSpeedMayFallByTheirMargins() {
    Summary old = summary("same", config("none", 1, 1, 1), config("fastv", 0.95, 0.5, 1.5));
    BaselineCheck check = new BaselineCheck(1, 10);
    assertThat(check.compare(old, old).worse()).isZero();
    assertThat(
            check
                .compare(
                    old, summary("same", config("none", 1, 1, 1), config("fastv", 0.945, 0.5, 1.4)))
                .worse())
        .isZero();
    BaselineCheck.Result both =
        check.compare(
            old, summary("same", config("none", 1, 1, 0.5), config("fastv", 0.93, 0.5, 1.2)));
    assertThat(both.worse()).isEqualTo(2);
    assertThat(both.lines())
        .containsExactly(
            "none: exact_match 1.000 -> 1.000 (+0.00 points), speed -50.0 % WORSE: speed",
            "fastv: exact_match 0.9500 -> 0.9300 (-2.00 points), speed -20.0 % WORSE: accuracy and speed",
            "2 of 2 settings of the baseline compared, 2 worse");
  }

  @Test
  void cellsOfOneSideAreSaidAndOtherQuestionsRefused() {
    Summary old = summary("same", config("none", 1, 1, 1), config("dart", 0.9, 0.5, 1));
    Summary now = summary("same", config("none", 1, 1, 1), config("fastv", 0.9, 0.5, 1));
    assertThat(new BaselineCheck(1, 10).compare(old, now).lines())
        .containsExactly(
            "none: exact_match 1.000 -> 1.000 (+0.00 points), speed +0.0 %",
            "dart: not in this run WORSE: missing",
            "fastv: not in the baseline",
            "1 of 2 settings of the baseline compared, 1 worse");
    assertThatThrownBy(
            () -> new BaselineCheck(1, 10).compare(summary("other", config("none", 1, 1, 1)), now))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("asked other questions");
    BaselineCheck check = new BaselineCheck(1, 10);
    assertThatThrownBy(() -> check.checkComparable(old, "data", "same", "In a word.", METRIC))
        .isInstanceOf(DataException.class)
        .hasMessage("the baseline put its questions otherwise; give prompt suffix 'none'");
    check.checkComparable(old, "data", "same", "", METRIC);
    assertThatThrownBy(() -> new BaselineCheck(-1, 10)).isInstanceOf(DataException.class);
  }

  @Test
  void anotherDrawOfTheQuestionsIsNoComparison() {
    Summary old = summary("same", config("none", 1, 1, 1));
    assertThat(new BaselineCheck(1, 10).compare(old, seeded(old, 100)).worse()).isZero();
    BaselineCheck.Result drawn = new BaselineCheck(1, 10).compare(old, seeded(old, 1000));
    assertThat(drawn.worse()).isEqualTo(1);
    assertThat(drawn.lines())
        .contains("the baseline drew with seed 0, this run with 7 WORSE: not the same questions");
  }

  private static Summary seeded(Summary summary, int available) {
    Summary.Run run = summary.run();
    return new Summary(
        new Summary.Run(
            run.model(),
            run.modelHash(),
            run.data(),
            run.format(),
            run.dataHash(),
            run.metric(),
            run.questions(),
            available,
            run.skipped(),
            7,
            run.maxNewTokens(),
            run.visualTokens(),
            run.layers(),
            run.promptTemplate(),
            run.promptSuffix(),
            run.exceedsOne()),
        summary.machine(),
        summary.configs(),
        summary.spreads(),
        summary.discordant(),
        summary.notes());
  }

  @Test
  void anotherNumberOfRandomDrawsIsTheSameSetting() {
    Summary two =
        summary(
            "same",
            config("none", 1, 1, 1),
            config("random:keep=0.1 seed 0", "random", 0.5, 0.2, 1),
            config("random:keep=0.1 seed 1", "random", 0.6, 0.2, 1));
    Summary one =
        summary(
            "same",
            config("none", 1, 1, 1),
            config("random:keep=0.1 seed 0", "random", 0.55, 0.2, 1));
    assertThat(new BaselineCheck(1, 10).compare(two, one).worse()).isZero();
    assertThat(new BaselineCheck(1, 10).compare(one, two).lines())
        .last()
        .isEqualTo("2 of 2 settings of the baseline compared, 0 worse");
  }

  @Test
  void aSlowdownWithinTheIntervalsIsNoise() {
    Summary old = summary("same", around(1.5, 1.2, 1.8));
    assertThat(
            new BaselineCheck(1, 10).compare(old, summary("same", around(1.2, 0.9, 1.3))).worse())
        .isZero();
    assertThat(
            new BaselineCheck(1, 10).compare(old, summary("same", around(1.0, 0.9, 1.1))).worse())
        .isEqualTo(1);
  }

  private static Summary.RunSummary around(double speedup, double low, double high) {
    Summary.RunSummary config = config("fastv", 0.9, 0.5, speedup);
    Summary.Measured measured = config.measured().orElseThrow();
    return new Summary.RunSummary(
        config.id(),
        config.series(),
        config.spec(),
        config.keep(),
        config.seed(),
        config.refused(),
        config.errors(),
        config.scores(),
        config.byType(),
        config.against(),
        config.cost(),
        Optional.of(
            new Summary.Measured(
                measured.requests(),
                measured.visionMillis(),
                measured.prefillMillis(),
                measured.selectionMillis(),
                measured.decodeMillis(),
                measured.totalMillis(),
                measured.speedup(),
                measured.predicted(),
                new Summary.Estimate(speedup, low, high),
                measured.load(),
                measured.peakBytes(),
                measured.joules())));
  }

  @Test
  void theCheapestThatHoldsIsFound() {
    Summary summary =
        summary(
            "same",
            config("none", 1, 1, 1),
            config("good", 0.995, 0.45, 1),
            config("cheap", 0.9, 0.3, 1),
            config("dear", 0.999, 0.8, 1));
    assertThat(BudgetRule.parse("flops<=0.5", 1).cheapest(summary))
        .hasValueSatisfying(config -> assertThat(config.id()).isEqualTo("good"));
    assertThat(BudgetRule.parse(" kv <= .2 ", 20).cheapest(summary))
        .hasValueSatisfying(config -> assertThat(config.id()).isEqualTo("cheap"));
    assertThat(BudgetRule.parse("tokens<=0.5", 0).cheapest(summary))
        .hasValueSatisfying(config -> assertThat(config.id()).isEqualTo("none"));
    assertThat(BudgetRule.parse("flops<=0.4", 1).cheapest(summary)).isEmpty();
    assertThat(BudgetRule.parse("flops<=0.4", 1).say(summary))
        .startsWith(
            "nothing holds flops<=0.4 with at most 1 points lost; nearest is cheap: 30.0 %");
    assertThatThrownBy(() -> BudgetRule.parse("flops<0.4", 1)).isInstanceOf(DataException.class);
    assertThatThrownBy(() -> BudgetRule.parse("flops<=40", 1))
        .hasMessageContaining("for percents write flops<=0.4");
    Summary hopeless = summary("same", config("none", 0, 1, 1), config("fastv", 0, 0.5, 1));
    assertThat(BudgetRule.parse("flops<=0.6", 1).cheapest(hopeless)).isEmpty();
    assertThat(BudgetRule.parse("flops<=0.6", 1).say(hopeless)).contains("scores 0");
    assertThatThrownBy(() -> BudgetRule.parse("flops<=0.4", -1)).isInstanceOf(DataException.class);
  }

  @Test
  void aLuckyDrawOfRandomSelectionIsNoSetting() {
    Summary summary =
        summary(
            "same",
            config("none", 1, 1, 1),
            config("random:keep=0.1 seed 0", "random", 0.995, 0.2, 1),
            config("random:keep=0.1 seed 1", "random", 0.975, 0.2, 1),
            config("fastv", 0.99, 0.3, 1));
    BudgetRule rule = BudgetRule.parse("flops<=0.5", 1);
    assertThat(rule.cheapest(summary))
        .hasValueSatisfying(configuration -> assertThat(configuration.id()).isEqualTo("fastv"));
    assertThat(BudgetRule.parse("flops<=0.5", 1.5).say(summary))
        .isEqualTo(
            "random:keep=0.1, 2 seeds: 20.0 % of the unpruned flops, exact_match 0.9850"
                + " (95 % interval 0.9250 to 1.045, 100 questions), -1.50 points (-2.50 to -0.50)");
  }
}
