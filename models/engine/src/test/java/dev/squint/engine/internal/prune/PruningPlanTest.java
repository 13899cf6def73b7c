package dev.squint.engine.internal.prune;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.engine.OpenTinyLlava;
import dev.squint.engine.TestStrategy;
import dev.squint.error.ModelException;
import dev.squint.onnx.internal.decoder.SegmentSpec;
import dev.squint.onnx.report.PositionSource;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.SitePlan;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class PruningPlanTest {

  @RegisterExtension static final OpenTinyLlava TINY = new OpenTinyLlava();

  private static PruningPlan plan(TestStrategy strategy, PositionSource positions) {
    return PruningPlan.of(strategy, TINY.model().facts(), positions);
  }

  @Test
  void positionsOutOfReachCannotBeKept() {
    assertThatThrownBy(() -> plan(TestStrategy.fastV(2, 5), PositionSource.UNKNOWN))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("it keeps the original positions of tokens")
        .hasMessageContaining("export it with 'position_ids'");
    TestStrategy compacted = TestStrategy.fixed(2, PositionPolicy.COMPACTED, 1, 4);
    assertThat(plan(compacted, PositionSource.UNKNOWN).segments()).hasSize(2);
  }

  @Test
  void positionsAreGivenFromTheFirstSiteThatKeepsThem() {
    List<SitePlan> sites =
        new ArrayList<>(TestStrategy.fixed(1, PositionPolicy.COMPACTED, 0, 1).sites());
    sites.addAll(TestStrategy.fixed(2, PositionPolicy.ORIGINAL, 0).sites());
    sites.addAll(TestStrategy.fixed(3, PositionPolicy.COMPACTED, 0).sites());
    PruningPlan plan = plan(new TestStrategy("three", sites), PositionSource.FUSED);
    assertThat(plan.segments())
        .extracting(SegmentSpec::givenPositions)
        .containsExactly(false, false, true, true);
    TestStrategy early = TestStrategy.fixed(0, PositionPolicy.ORIGINAL, 3);
    assertThat(plan(early, PositionSource.FUSED).segments().get(0).givenPositions()).isTrue();
  }
}
