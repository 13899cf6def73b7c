package dev.squint.evaluation.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.DataException;
import dev.squint.error.StrategyException;
import dev.squint.evaluation.internal.RunConfig;
import dev.squint.pruning.Strategies;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class ConfigGridTest {

  private static List<String> ids(String strategies, double... keeps) {
    ConfigGrid grid = new ConfigGrid(Arrays.stream(keeps).boxed().toList(), 2, true, true);
    return configs(grid, strategies).stream().map(RunConfig::id).toList();
  }

  private static List<RunConfig> configs(ConfigGrid grid, String strategies) {
    List<String> specs =
        Arrays.stream(strategies.split(";"))
            .map(String::strip)
            .filter(spec -> !spec.isEmpty())
            .toList();
    return grid.configs(specs, Map.of(), List.of(), OptionalInt.of(144));
  }

  @Test
  void baselinesAreAlwaysThere() {
    assertThat(ids("", 0.5))
        .containsExactly(
            "none",
            "random:keep=0.5 seed 0",
            "random:keep=0.5 seed 1",
            "uniform:keep=0.5",
            "resize:keep=0.5");
    assertThat(configs(new ConfigGrid(List.of(0.5), 1, false, true), "resize"))
        .extracting(RunConfig::series)
        .containsExactly("none", "random", "uniform");
  }

  @Test
  void whatKeepsEverythingIsDrawnOnce() {
    assertThat(ids("", 1, 0.5))
        .containsExactly(
            "none",
            "random:keep=1",
            "random:keep=0.5 seed 0",
            "random:keep=0.5 seed 1",
            "uniform:keep=1",
            "uniform:keep=0.5",
            "resize:keep=0.5");
  }

  @Test
  void aSpecThatTakesKeepGetsAConfigurationPerRatio() {
    assertThat(ids("fastv:k=3; none; fastervlm", 0.25, 0.5, 0.5))
        .containsSubsequence(
            "fastv:k=3,keep=0.5",
            "fastv:k=3,keep=0.25",
            "fastervlm:keep=0.5",
            "fastervlm:keep=0.25")
        .doesNotHaveDuplicates();
  }

  @Test
  void aSpecWithItsOwnBudgetIsOneConfiguration() {
    assertThat(ids("fastv:keep=0.3; visionzip:tokens=20; prumerge; fastervlm + kv-quant", 0.5, 0.1))
        .contains("fastv:keep=0.3", "visionzip:tokens=20", "prumerge", "fastervlm + kv-quant")
        .noneMatch(id -> id.startsWith("prumerge:"));
  }

  @Test
  void placeholdersStandForTheBudget() {
    assertThat(ids("prumerge:tokens={tokens}; fastervlm:keep={keep} + kv-quant", 0.25))
        .contains("prumerge:tokens=36", "fastervlm:keep=0.25 + kv-quant");
  }

  @Test
  void strategyObjectsAreConfigurationsAsSpecsAre() {
    ConfigGrid grid = new ConfigGrid(List.of(0.5, 0.1), 1, false, false);
    assertThat(
            grid.configs(
                List.of("fastv:k=2,keep=0.5"),
                Map.of("dart:k=2", keep -> Strategies.parse("dart:k=2,keep=" + keep)),
                List.of(Strategies.parse("fastv:k=2,keep=0.5"), Strategies.parse("prumerge")),
                OptionalInt.empty()))
        .extracting(RunConfig::id)
        .containsExactly(
            "none",
            "fastv:k=2,keep=0.5",
            "dart:k=2,keep=0.5",
            "dart:k=2,keep=0.1",
            Strategies.parse("prumerge").spec());
    assertThatThrownBy(
            () ->
                grid.configs(
                    List.of("prumerge:tokens={tokens}"), Map.of(), List.of(), OptionalInt.empty()))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("write numbers instead of {tokens}");
  }

  @Test
  void mistakesAreNamed() {
    assertThatThrownBy(() -> ids("fastvv", 0.5))
        .isInstanceOf(StrategyException.class)
        .hasMessageContaining("fastv");
    assertThatThrownBy(() -> ids("", 1.5)).isInstanceOf(StrategyException.class);
    assertThatThrownBy(() -> new ConfigGrid(List.of(0.5), 0, true, true))
        .isInstanceOf(DataException.class);
  }

  @Test
  void resizedGridsHaveNearlyEqualSides() {
    assertThat(ConfigGrid.grid(108)).isEqualTo(new RunConfig.Grid(10, 10));
    assertThat(ConfigGrid.grid(72)).isEqualTo(new RunConfig.Grid(8, 9));
    assertThat(ConfigGrid.grid(36)).isEqualTo(new RunConfig.Grid(6, 6));
    assertThat(ConfigGrid.grid(14)).isEqualTo(new RunConfig.Grid(3, 4));
    assertThat(ConfigGrid.grid(7)).isEqualTo(new RunConfig.Grid(2, 3));
    assertThat(ConfigGrid.grid(1)).isEqualTo(new RunConfig.Grid(1, 1));
  }

  @Property
  void noLargerGridFits(@ForAll @IntRange(min = 1, max = 5000) int tokens) {
    RunConfig.Grid grid = ConfigGrid.grid(tokens);
    assertThat(grid.columns() - grid.rows()).isBetween(0, 1);
    assertThat(grid.rows() * grid.columns()).isLessThanOrEqualTo(tokens);
    int next =
        grid.rows() == grid.columns()
            ? grid.rows() * (grid.columns() + 1)
            : (grid.rows() + 1) * grid.columns();
    assertThat(next).isGreaterThan(tokens);
  }

  @Test
  void everyDrawAndQuestionHasASeedOfItsOwn() {
    List<RunConfig> draws =
        configs(new ConfigGrid(List.of(0.5), 3, false, true), "").stream()
            .filter(config -> config.series().equals("random"))
            .toList();
    assertThat(
            draws.stream()
                .flatMap(config -> IntStream.range(0, 100).mapToObj(q -> config.seedOf(7, q))))
        .doesNotHaveDuplicates();
  }
}
