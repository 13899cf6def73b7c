package dev.squint.pruning.strategies.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.error.StrategyException;
import dev.squint.pruning.Composition;
import dev.squint.pruning.cache.KvCachePlan;
import dev.squint.pruning.shape.DecoderShape;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.strategies.decoder.FastV;
import dev.squint.pruning.strategies.math.Models;
import java.util.List;
import org.junit.jupiter.api.Test;

class KvQuantTest {

  private static final KvQuant MIXED = new KvQuant(8, 2, 0.5, 1, 4, false);

  private static KvCachePlan.Quantised plan(KvQuant strategy) {
    return (KvCachePlan.Quantised) strategy.cache(Models.llava(true)).orElseThrow();
  }

  @Test
  void actsOnTheCacheAlone() {
    assertThat(MIXED.plan(Models.llava(true))).isEmpty();
    assertThat(plan(MIXED)).isEqualTo(new KvCachePlan.Quantised(8, 2, 0.5, 1, 4, false));
    assertThat(plan(MIXED).uniform()).isFalse();
    assertThat(plan(new KvQuant(8, 2, 1, 1, 4, false)).uniform()).isTrue();
    assertThat(plan(new KvQuant(4, 4, 0.1, 1, 4, false)).uniform()).isTrue();
  }

  @Test
  void textIsSalientFirstAndPivotsLater() {
    boolean[] visual = {false, true, true, true, false};
    float[] attention = {0.1f, 0.3f, Float.NaN, 0.3f, 0.2f};
    assertThat(plan(MIXED).salient(0, visual, attention)).containsExactly(0, 4);
    // rint(5 * 0.5) = rint(2.5) = 2
    assertThat(plan(MIXED).salient(1, visual, attention)).containsExactly(1, 3);
    KvCachePlan.Quantised few = plan(new KvQuant(8, 2, 0.01, 0, 4, false));
    assertThat(few.salient(0, visual, attention)).containsExactly(1);
    KvCachePlan.Quantised most = plan(new KvQuant(8, 2, 0.9, 0, 4, false));
    // rint(4.5) = 4: all but what is not a number
    assertThat(most.salient(0, visual, attention)).containsExactly(0, 1, 3, 4);
  }

  @Test
  void refusesWidthsThatDoNotGoTogether() {
    assertThatThrownBy(() -> new KvQuant(4, 8, 0.5, 0, 4, false))
        .isInstanceOf(StrategyException.class)
        .hasMessageContaining("low=8 is more than bits=4");
    assertThatThrownBy(() -> new KvQuant(3, 2, 0.5, 0, 4, false))
        .hasMessageContaining("bits=3 is not known");
    ModelShape odd =
        new ModelShape(
            "odd",
            new DecoderShape(2, 12, 2, 2, 6, 8, 10),
            Models.llava(true).vision(),
            Models.llava(true).visualTokens());
    assertThatThrownBy(() -> MIXED.cache(odd))
        .isInstanceOf(StrategyException.class)
        .hasMessageContaining("heads of width 6 do not fill bytes of 2-bit numbers");
    assertThatThrownBy(() -> new KvQuant(8, 8, 1, 0, 4, true).cache(odd))
        .isInstanceOf(StrategyException.class)
        .hasMessageContaining("power of two");
  }

  @Test
  void compositionPassesOnOneCachePlanAndRefusesTwo() {
    Composition one = new Composition(List.of(new FastV(2, 0.5), MIXED));
    assertThat(one.cache(Models.llava(true))).isEqualTo(MIXED.cache(Models.llava(true)));
    assertThat(one.plan(Models.llava(true))).hasSize(1);
    Composition two = new Composition(List.of(MIXED, new KvQuant(8, 8, 1, 0, 4, false)));
    assertThatThrownBy(() -> two.cache(Models.llava(true)))
        .isInstanceOf(StrategyException.class)
        .hasMessageContaining("two of its parts act on the KV cache");
    assertThat(new FastV(2, 0.5).cache(Models.llava(true))).isEmpty();
  }
}
