package dev.squint.pruning.strategies.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.error.StrategyException;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.cache.KvCachePlan;
import dev.squint.pruning.shape.DecoderShape;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.strategies.math.Models;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SparseMMTest {

  @TempDir Path folder;

  /** Two layers of four query heads over two KV heads. */
  private static final ModelShape SMALL =
      new ModelShape(
          "small",
          new DecoderShape(2, 16, 4, 2, 4, 8, 10),
          Models.llava(true).vision(),
          Models.llava(true).visualTokens());

  private static KvCachePlan.PerHead plan(String spec) {
    return (KvCachePlan.PerHead) Strategies.parse(spec).cache(SMALL).orElseThrow();
  }

  private String file(String text) throws IOException {
    return Files.writeString(folder.resolve("heads.txt"), text).toString();
  }

  @Test
  void budgetsFollowTheScoresOfTheGroups() throws IOException {
    KvCachePlan.PerHead plan = plan("sparsemm:tokens=100,heads=" + file("1 2 0 1\n3,1,1,1\n"));
    // group sums 3, 1, 4, 2 of 10; least 10; four KV heads: w * 90 * 4 + 10
    assertThat(plan.weights()).isEqualTo(List.of(List.of(0.3, 0.1), List.of(0.4, 0.2)));
    assertThat(plan.capacity(0, 0, 576)).isEqualTo(118);
    assertThat(plan.capacity(0, 1, 576)).isEqualTo(46);
    assertThat(plan.capacity(1, 0, 576)).isEqualTo(154);
    assertThat(plan.capacity(1, 1, 576)).isEqualTo(82);
    // no head keeps more than there are, and a budget for all evicts nothing
    assertThat(plan.capacity(1, 0, 120)).isEqualTo(120);
    assertThat(plan.capacity(0, 1, 100)).isEqualTo(100);
  }

  @Test
  void headsWithoutScoresAreAlike() {
    KvCachePlan.PerHead plan = plan("sparsemm:keep=0.25");
    for (int layer = 0; layer < 2; layer++) {
      assertThat(plan.capacity(layer, 0, 144)).isEqualTo(36);
      assertThat(plan.capacity(layer, 1, 144)).isEqualTo(36);
    }
    assertThat(Strategies.parse("sparsemm").spec()).isEqualTo("sparsemm:keep=0.25,window=32");
  }

  @Test
  void theMostAttendedNeighbourhoodStays() {
    KvCachePlan.PerHead plan =
        new KvCachePlan.PerHead(List.of(List.of(1.0)), 1, OptionalInt.of(2), 4);
    boolean[] visual = {false, true, true, true, true, true, true, false};
    float[] attention = {5, 0, 0, 0, 0, 1, 0, 5};
    // sums over 5 neighbours, of which text is one: 5, 5, 1, 1, 6, 6
    assertThat(plan.stays(0, 0, visual, attention)).containsExactly(0, 5, 6, 7);
  }

  @Test
  void refusesFilesThatDoNotFit() throws IOException {
    assertThatThrownBy(() -> Strategies.parse("sparsemm:heads=" + folder.resolve("none.txt")))
        .isInstanceOf(StrategyException.class)
        .hasMessageContaining("cannot be read");
    String words = file("a b\n");
    assertThatThrownBy(() -> Strategies.parse("sparsemm:heads=" + words))
        .isInstanceOf(StrategyException.class)
        .hasMessageContaining("does not hold head scores");
    String few = file("1 1 1 1\n");
    assertThatThrownBy(() -> plan("sparsemm:heads=" + few))
        .isInstanceOf(StrategyException.class)
        .hasMessageContaining("the 2 lines of 4 head scores that small needs");
  }
}
