package dev.squint.pruning.strategies.math;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.layout.VisualSpan;
import dev.squint.pruning.observe.Observations;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Scope;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SiteContext;
import dev.squint.pruning.spec.Budget;
import dev.squint.pruning.spec.Retention;
import dev.squint.pruning.strategies.baseline.None;
import dev.squint.pruning.strategies.baseline.Random;
import dev.squint.pruning.strategies.baseline.UniformGrid;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Scale;
import org.junit.jupiter.api.Test;

class BaselinesTest {

  private static final int[] TINY = {12, 12};

  @Test
  void noneHasNoSite() {
    assertThat(new None().plan(Models.llava(true))).isEmpty();
  }

  @Test
  void randomRepeatsPerSeed() {
    Random own = random(0.1, OptionalLong.of(7));
    assertThat(Models.select(own, 1, TINY)).isEqualTo(Models.select(own, 2, TINY));
    Random requests = random(0.1, OptionalLong.empty());
    assertThat(Models.select(requests, 7, TINY)).isEqualTo(Models.select(own, 0, TINY));
    assertThat(Models.select(requests, 8, TINY)).isNotEqualTo(Models.select(own, 0, TINY));
  }

  /** A published seed keeps its tokens: a change of the draw would be a change of results. */
  @Test
  void randomDrawIsFixed() {
    assertThat(Models.select(random(0.05, OptionalLong.of(42)), 0, TINY).keptVisual())
        .containsExactly(5, 23, 28, 55, 90, 122, 125);
  }

  @Test
  void randomIsFair() {
    int[] hits = new int[144];
    Random strategy = random(0.25, OptionalLong.empty());
    for (int seed = 0; seed < 4000; seed++) {
      for (int index : Models.select(strategy, seed, TINY).keptVisual()) {
        hits[index]++;
      }
    }
    assertThat(IntStream.of(hits)).allMatch(count -> 850 < count && count < 1150);
  }

  @Test
  void randomActsAtEitherSite() {
    assertThat(Models.onlySite(random(0.5, OptionalLong.empty())).positions())
        .isEqualTo(PositionPolicy.COMPACTED);
    Random inside = new Random(0.5, OptionalLong.empty(), new Site.BeforeLayer(2));
    assertThat(Models.onlySite(inside).site()).isEqualTo(new Site.BeforeLayer(2));
    assertThat(Models.onlySite(inside).positions()).isEqualTo(PositionPolicy.ORIGINAL);
    Random past = new Random(0.5, OptionalLong.empty(), new Site.BeforeLayer(32));
    assertThatThrownBy(() -> past.plan(Models.llava(true)))
        .hasMessage("strategy 'random': layer at=32, but the decoder has 32 layers; choose 1..31");
  }

  @Test
  void uniformQuarterIsEverySecondRowAndColumn() {
    assertThat(Models.select(new UniformGrid(0.25), 0, new int[] {4, 4}).keptVisual())
        .containsExactly(5, 7, 13, 15);
  }

  @Test
  void uniformSingleTokenIsTheMiddle() {
    assertThat(Models.select(new UniformGrid(0.01), 0, new int[] {3, 5}).keptVisual())
        .containsExactly(7);
  }

  @Test
  void uniformSpreadsUnevenCounts() {
    // 5 of 4 x 4: rint(sqrt(5)) = 2 rows, at 1 and 3, of 2 and 3 patches.
    assertThat(Models.select(new UniformGrid(0.3125), 0, new int[] {4, 4}).keptVisual())
        .containsExactly(5, 7, 12, 14, 15);
  }

  @Test
  void uniformSharesAmongImages() {
    assertThat(
            Models.select(new UniformGrid(0.5), 0, new int[] {1, 4}, new int[] {1, 2}).keptVisual())
        .containsExactly(1, 3, 5);
  }

  @Test
  void budgetOfEachImage() {
    Budget two = new Budget(1, OptionalInt.of(2), Scope.IMAGE);
    int[][] images = {{1, 4}, {3, 3}};
    assertThat(Models.select(new UniformGrid(two), 0, images).keptVisual())
        .containsExactly(1, 3, 7, 9);
    assertThat(
            Models.select(new Random(two, OptionalLong.of(3), new Site.AfterVision()), 0, images)
                .keptVisual())
        .hasSize(4)
        .satisfies(kept -> assertThat(kept[1]).isLessThan(4))
        .satisfies(kept -> assertThat(kept[2]).isGreaterThanOrEqualTo(4));
  }

  @Test
  void uniformOverWhatIsLeftOfAImage() {
    TokenLayout layout = new TokenLayout(16, List.of(new VisualSpan(0, 0, 16, 4, 4)));
    int[] alive = {0, 3, 5, 9, 12, 14};
    SiteContext context =
        new SiteContext(
            new Site.AfterVision(),
            layout,
            alive,
            alive.length,
            new SiteContext.Positions(alive, new int[0]),
            0);
    Selection half =
        Models.onlySite(new UniformGrid(0.5)).decision().select(context, Observations.none());
    assertThat(half.keptVisual()).containsExactly(1, 3, 5);
  }

  @Property
  void uniformKeepsTheExactCount(
      @ForAll @IntRange(min = 1, max = 40) int rows,
      @ForAll @IntRange(min = 1, max = 40) int columns,
      @ForAll @IntRange(min = 1, max = 9) int otherRows,
      @ForAll @DoubleRange(min = 0.001, max = 1) @Scale(4) double keep) {
    int tokens = rows * columns + otherRows * 3;
    Selection selection =
        Models.select(
            new UniformGrid(keep), 0, new int[] {rows, columns}, new int[] {otherRows, 3});
    assertThat(selection.requireFits(tokens).size()).isEqualTo(Retention.count(tokens, keep));
  }

  @Property
  void randomKeepsTheExactCount(
      @ForAll @IntRange(min = 1, max = 600) int tokens,
      @ForAll @DoubleRange(min = 0.001, max = 1) @Scale(4) double keep,
      @ForAll long seed) {
    Selection selection =
        Models.select(random(keep, OptionalLong.of(seed)), 0, new int[] {1, tokens});
    assertThat(selection.requireFits(tokens).size()).isEqualTo(Retention.count(tokens, keep));
  }

  @Test
  void noImageIsNoError() {
    assertThat(Models.select(new UniformGrid(0.5), 0).size()).isZero();
    assertThat(Models.select(random(0.5, OptionalLong.of(1)), 0).size()).isZero();
  }

  private static Random random(double keep, OptionalLong seed) {
    return new Random(keep, seed, new Site.AfterVision());
  }
}
