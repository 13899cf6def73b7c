package dev.squint.examples.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.adapters.DataException;
import dev.squint.pruning.DecoderShape;
import dev.squint.pruning.ModelFacts;
import dev.squint.pruning.StrategyException;
import dev.squint.pruning.VisionShape;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class CellGridTest {

  private static final ModelFacts TINY =
      new ModelFacts(
          "tiny",
          new DecoderShape(8, 128, 4, 2, 32, 512, 600),
          new VisionShape(5, 128, 4, 512, 144, 192, true, 12, 12, 128),
          144);

  private static List<String> ids(String strategies, double... keeps) {
    return new CellGrid(Arrays.stream(keeps).boxed().toList(), 2, true)
        .cells(strategies, TINY).stream().map(Cell::id).toList();
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
    assertThat(new CellGrid(List.of(0.5), 1, false).cells("resize", TINY))
        .extracting(Cell::series)
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
  void aSpecThatTakesKeepGetsACellPerRatio() {
    assertThat(ids("fastv:k=3; none; fastervlm", 0.25, 0.5, 0.5))
        .containsSubsequence(
            "fastv:k=3,keep=0.5",
            "fastv:k=3,keep=0.25",
            "fastervlm:keep=0.5",
            "fastervlm:keep=0.25")
        .doesNotHaveDuplicates();
  }

  @Test
  void aSpecWithItsOwnBudgetIsOneCell() {
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
  void mistakesAreNamed() {
    assertThatThrownBy(() -> ids("fastvv", 0.5))
        .isInstanceOf(StrategyException.class)
        .hasMessageContaining("fastv");
    assertThatThrownBy(() -> ids("", 1.5)).isInstanceOf(StrategyException.class);
    assertThatThrownBy(() -> new CellGrid(List.of(0.5), 0, true)).isInstanceOf(DataException.class);
  }

  @Test
  void resizedGridsHaveNearlyEqualSides() {
    assertThat(CellGrid.grid(108)).isEqualTo(new Cell.Grid(10, 10));
    assertThat(CellGrid.grid(72)).isEqualTo(new Cell.Grid(8, 9));
    assertThat(CellGrid.grid(36)).isEqualTo(new Cell.Grid(6, 6));
    assertThat(CellGrid.grid(14)).isEqualTo(new Cell.Grid(3, 4));
    assertThat(CellGrid.grid(7)).isEqualTo(new Cell.Grid(2, 3));
    assertThat(CellGrid.grid(1)).isEqualTo(new Cell.Grid(1, 1));
  }

  @Property
  void noLargerGridFits(@ForAll @IntRange(min = 1, max = 5000) int tokens) {
    Cell.Grid grid = CellGrid.grid(tokens);
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
    List<Cell> draws =
        new CellGrid(List.of(0.5), 3, false)
            .cells("", TINY).stream().filter(cell -> cell.series().equals("random")).toList();
    assertThat(
            draws.stream()
                .flatMap(cell -> IntStream.range(0, 100).mapToObj(q -> cell.seedOf(7, q))))
        .doesNotHaveDuplicates();
  }
}
