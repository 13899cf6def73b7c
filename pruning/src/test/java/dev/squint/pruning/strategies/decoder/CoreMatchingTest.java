package dev.squint.pruning.strategies.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.pruning.Strategies;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.strategies.math.Elbow;
import dev.squint.pruning.strategies.math.Models;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class CoreMatchingTest {

  private static final float[] COUNTS = {0, 9, 2, 10, 1, 8};

  private static CoreMatching rule(String rule) {
    return new CoreMatching(rule, 0.4, 0.2, List.of());
  }

  @Test
  void looksAfterTheSixthLayer() {
    SitePlan plan = Models.onlySite(rule("paper"));
    assertThat(plan.site()).isEqualTo(new Site.BeforeLayer(6));
    assertThat(plan.needs()).containsExactly(Observe.coreNeurons(5, 0.4, 0.2));
    assertThat(plan.positions()).isEqualTo(PositionPolicy.ORIGINAL);
  }

  /** Sorted 10 9 8 2 1 0: the third and fourth lie equally far from the line, the first wins. */
  @Test
  void elbowOfTheCounts() {
    assertThat(Elbow.of(COUNTS)).isEqualTo(8);
    assertThat(Models.select(rule("paper"), COUNTS, new int[] {2, 3}).keptVisual())
        .containsExactly(1, 3, 5);
    assertThat(Models.select(rule("code"), COUNTS, new int[] {2, 3}).keptVisual())
        .containsExactly(1, 3);
  }

  @Test
  void equalCountsAllStay() {
    for (String rule : List.of("paper", "code")) {
      assertThat(Models.select(rule(rule), new float[] {4, 4, 4}, new int[] {1, 3}).size())
          .isEqualTo(3);
    }
  }

  @Property
  void whatStaysCountsAtLeastAsMuchAsWhatLeaves(@ForAll @Size(min = 1, max = 60) float[] counts) {
    int[] kept = Models.select(rule("paper"), counts, new int[] {1, counts.length}).keptVisual();
    assertThat(kept).isNotEmpty();
    float least = Float.POSITIVE_INFINITY;
    boolean[] stays = new boolean[counts.length];
    for (int token : kept) {
      stays[token] = true;
      least = Math.min(least, counts[token]);
    }
    for (int i = 0; i < counts.length; i++) {
      assertThat(stays[i] || counts[i] < least).isTrue();
    }
  }

  @Test
  void sharesOutOfRange() {
    assertThatThrownBy(() -> Strategies.parse("corematching:rho=0"))
        .hasMessageStartingWith("strategy 'corematching': rho=0 is out of range");
  }
}
