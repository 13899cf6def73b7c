package dev.squint.pruning.strategies.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.error.StrategyException;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.cache.KvCachePlan;
import dev.squint.pruning.strategies.math.Models;
import org.junit.jupiter.api.Test;

class AVLTest {

  private static KvCachePlan.Split plan(String spec) {
    return (KvCachePlan.Split) Strategies.parse(spec).cache(Models.llava(true)).orElseThrow();
  }

  @Test
  void countsOfLlava() {
    KvCachePlan.Split plan = plan("avl:core=0.1,stay=0.25,every=4");
    assertThat(plan).isEqualTo(new KvCachePlan.Split(0.1, 0.25, 4));
    // rint(57.6) and rint(144.0) of 576
    assertThat(plan.coreCount(576)).isEqualTo(58);
    assertThat(plan.stayCount(576)).isEqualTo(144);
    assertThat(plan.coreCount(1)).isEqualTo(1);
    assertThat(plan.stayCount(0)).isZero();
  }

  @Test
  void theCoreIsWhatGetsMostAttention() {
    float[] attention = {0.2f, 0.3f, Float.NaN, 0.3f, 0.1f};
    assertThat(plan("avl").highest(attention, 2)).containsExactly(1, 3);
    assertThat(plan("avl").highest(attention, 3)).containsExactly(0, 1, 3);
  }

  @Test
  void refusesACoreThatDoesNotStay() {
    assertThatThrownBy(() -> Strategies.parse("avl:core=0.6,stay=0.5"))
        .isInstanceOf(StrategyException.class)
        .hasMessageContaining("core=0.6 is more than stay=0.5");
  }
}
