package dev.squint.engine.internal.tokens;

import static org.assertj.core.api.Assertions.assertThat;

import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.layout.VisualSpan;
import dev.squint.pruning.site.MergedToken;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SiteContext;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class LiveTokensTest {

  @Property
  void textStaysAndKeptVisualTokensStayInOrder(
      @ForAll @IntRange(min = 1, max = 9) int before,
      @ForAll @IntRange(min = 1, max = 30) int visual,
      @ForAll @IntRange(min = 0, max = 9) int after,
      @ForAll long seed) {
    int length = before + visual + after;
    TokenLayout layout =
        new TokenLayout(length, List.of(new VisualSpan(0, before, visual, 1, visual)));
    LiveTokens all = LiveTokens.of(layout);
    Random random = new Random(seed);
    int[] kept = IntStream.range(0, visual).filter(i -> random.nextBoolean()).toArray();
    LiveTokens some = all.select(all.keptRows(keeping(kept)));
    assertThat(some.liveOriginals()).containsExactly(kept);
    assertThat(some.count()).isEqualTo(before + kept.length + after);
    assertThat(some.promptPositions()).isSorted();
    assertThat(Arrays.stream(some.visualRows()).map(row -> some.promptPositions()[row] - before))
        .containsExactly(boxed(kept));

    int[] again = IntStream.range(0, kept.length).filter(i -> random.nextBoolean()).toArray();
    int[] expected = Arrays.stream(again).map(i -> kept[i]).toArray();
    assertThat(some.select(some.keptRows(keeping(again))).liveOriginals())
        .containsExactly(expected);
  }

  private static TokenReduction keeping(int... kept) {
    return new TokenReduction(kept, kept, new int[0], MergeMatrix.NONE);
  }

  /** Text t, image a in two tiles of 3, text t, image b of 2, text t. */
  @Test
  void mergedTokensStandInForTheirOriginOrAfterTheirTile() {
    TokenLayout layout =
        new TokenLayout(
            11,
            List.of(
                new VisualSpan(0, 0, 1, 3, 1, 3),
                new VisualSpan(0, 1, 4, 3, 1, 3),
                new VisualSpan(1, 0, 8, 2, 1, 2)));
    LiveTokens all = LiveTokens.of(layout);
    Selection selection =
        Selection.of(new int[] {0, 2, 6})
            .withMerged(
                List.of(
                    MergedToken.mean(4, 3, 4),
                    MergedToken.mean(1, 1, 2),
                    new MergedToken(2, new int[] {2, 7}, new float[] {0.75f, 0.25f}),
                    MergedToken.mean(3, 3)));
    TokenReduction reduction =
        TokenReduction.of(SiteContext.whole(new Site.AfterVision(), layout, 0), selection);
    assertThat(reduction.liveVisual()).containsExactly(0, 10, 9, 8, 11, 6);
    assertThat(reduction.livePlaces()).containsExactly(0, 2, 2, 5, 5, 6);
    assertThat(reduction.liveOrigins()).containsExactly(4, 1, 2, 3);
    assertThat(reduction.merges().sources()).containsExactly(1, 2, 3, 4, 7);
    assertThat(reduction.merges().weights())
        .containsExactly(
            0, 0, 0.5f, 0.5f, 0, 0.5f, 0.5f, 0, 0, 0, 0, 0.75f, 0, 0, 0.25f, 0, 0, 1, 0, 0);
    SeamRows seam = PositionedTokens.of(layout, 1).reduced(reduction, PositionPolicy.ORIGINAL);
    assertThat(seam.keptRows()).containsExactly(0, 1, 13, 12, 11, 14, 7, 8, 10);
    assertThat(all.originRows(reduction)).containsExactly(5, 2, 3, 4);
    assertThat(seam.merges().sources()).containsExactly(2, 3, 4, 5, 9);
    assertThat(seam.merges().weights()).isEqualTo(reduction.merges().weights());
    LiveTokens next = seam.left().live();
    assertThat(next.promptPositions()).containsExactly(0, 1, 3, 2, 5, 4, 7, 8, 10);
    assertThat(next.liveOriginals()).containsExactly(0, 2, 1, 4, 3, 6);
    assertThat(seam.left().positions().axes()[0]).containsExactly(0, 1, 3, 2, 5, 4, 7, 8, 10);
    assertThat(seam.left().next()).isEqualTo(11);
    PositionedTokens compacted =
        PositionedTokens.of(layout, 1).reduced(reduction, PositionPolicy.COMPACTED).left();
    assertThat(compacted.positions().axes()[0]).containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8);
    assertThat(compacted.next()).isEqualTo(9);
  }

  private static Integer[] boxed(int[] values) {
    return Arrays.stream(values).boxed().toArray(Integer[]::new);
  }
}
