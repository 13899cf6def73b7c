package dev.squint.engine.internal.tokens;

import static org.assertj.core.api.Assertions.assertThat;

import dev.squint.onnx.internal.decoder.RowInput;
import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.layout.VisualSpan;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.site.MergedToken;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SiteContext;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/**
 * Each conversion by hand on the prompt that the package draws: t t V V V V V t t, of which a first
 * site keeps the original visual tokens 0, 3 and 4 and a second one its live visual tokens 1 and 2.
 */
class IndexSpacesTest {

  private static final TokenLayout LAYOUT =
      new TokenLayout(9, List.of(new VisualSpan(0, 0, 2, 5, 1, 5)));
  private static final PositionedTokens PROMPT = PositionedTokens.of(LAYOUT, 1);

  private static SiteContext context(PositionedTokens tokens) {
    return new SiteContext(
        new Site.BeforeLayer(1), LAYOUT, tokens.live().liveOriginals(), 5, tokens.ofSite(), 0);
  }

  private static SeamRows seam(
      PositionedTokens tokens, PositionPolicy policy, Selection selection) {
    return tokens.reduced(TokenReduction.of(context(tokens), selection), policy);
  }

  private static PositionedTokens firstSite(PositionPolicy policy) {
    return seam(PROMPT, policy, Selection.of(new int[] {0, 3, 4})).left();
  }

  @Test
  void inAWholePromptRowsArePromptPositions() {
    LiveTokens live = PROMPT.live();
    assertThat(live.count()).isEqualTo(9);
    assertThat(live.promptPositions()).containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8);
    assertThat(live.originalVisual()).containsExactly(-1, -1, 0, 1, 2, 3, 4, -1, -1);
    assertThat(live.allRows()).containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8);
    assertThat(live.visualRows()).containsExactly(2, 3, 4, 5, 6);
    assertThat(live.liveOriginals()).containsExactly(0, 1, 2, 3, 4);
    SeamRows seam = PROMPT.unchanged();
    assertThat(seam.keptRows()).containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8);
    assertThat(seam.merges().tokens()).isZero();
    assertThat(seam.left()).isSameAs(PROMPT);
  }

  @Test
  void afterASiteRowsCloseUp() {
    TokenReduction reduction =
        TokenReduction.of(context(PROMPT), Selection.of(new int[] {0, 3, 4}));
    assertThat(PROMPT.live().keptRows(reduction)).containsExactly(0, 1, 2, 5, 6, 7, 8);
    LiveTokens live = firstSite(PositionPolicy.ORIGINAL).live();
    assertThat(live.promptPositions()).containsExactly(0, 1, 2, 5, 6, 7, 8);
    assertThat(live.originalVisual()).containsExactly(-1, -1, 0, 3, 4, -1, -1);
    assertThat(live.visualRows()).containsExactly(2, 3, 4);
    assertThat(live.liveOriginals()).containsExactly(0, 3, 4);
    assertThat(live.types()).containsExactly(0, 0, 1, 1, 1, 0, 0);
    assertThat(live.visualMask()).containsExactly(false, false, true, true, true, false, false);
  }

  @Test
  void aSecondSiteCountsInWhatTheFirstOneLeft() {
    SeamRows seam =
        seam(
            firstSite(PositionPolicy.ORIGINAL),
            PositionPolicy.ORIGINAL,
            Selection.of(new int[] {1, 2}));
    assertThat(seam.keptRows()).containsExactly(0, 1, 3, 4, 5, 6);
    assertThat(seam.left().live().promptPositions()).containsExactly(0, 1, 5, 6, 7, 8);
    assertThat(seam.left().live().liveOriginals()).containsExactly(3, 4);
    assertThat(seam.left().positions().axes()[0]).containsExactly(0, 1, 5, 6, 7, 8);
    assertThat(seam.left().next()).isEqualTo(9);
  }

  @Test
  void promptValuesAreFoundByPromptPosition() {
    long[] ids = {10, 11, 12, 13, 14, 15, 16, 17, 18};
    LiveTokens live = firstSite(PositionPolicy.ORIGINAL).live();
    assertThat(live.gathered(ids)).containsExactly(10, 11, 12, 15, 16, 17, 18);
    assertThat(live.gathered(ids, new int[] {3, 6})).containsExactly(15, 18);
  }

  @Test
  void wantedRowsAreLiveRows() {
    LiveTokens live = firstSite(PositionPolicy.ORIGINAL).live();
    assertThat(live.rows(Rows.ALL)).containsExactly(0, 1, 2, 3, 4, 5, 6);
    assertThat(live.rows(Rows.VISUAL)).containsExactly(2, 3, 4);
    assertThat(live.rows(Rows.CLS)).isEmpty();
    assertThat(live.rows(Rows.LAST)).containsExactly(6);
    assertThat(live.rows(Rows.TEXT)).containsExactly(0, 1, 5, 6);
    assertThat(live.rows(Rows.TEXT_AFTER_VISUAL)).containsExactly(5, 6);
    assertThat(live.rows(Rows.FIRST_AFTER_VISUAL)).containsExactly(5);
    List<Rows> some = List.of(Rows.VISUAL, Rows.LAST);
    assertThat(live.rows(new RowInput(some, Optional.empty()))).containsExactly(2, 3, 4, 6);
    assertThat(live.rows(new RowInput(some, Optional.of(Rows.LAST)))).containsExactly(3);
  }

  @Test
  void positionsOfASiteAreThoseOfVisualTokensAndOfTextAfterThem() {
    SiteContext.Positions original = firstSite(PositionPolicy.ORIGINAL).ofSite();
    assertThat(original.visual()).containsExactly(2, 5, 6);
    assertThat(original.text()).containsExactly(7, 8);
    SiteContext.Positions compacted = firstSite(PositionPolicy.COMPACTED).ofSite();
    assertThat(compacted.visual()).containsExactly(2, 3, 4);
    assertThat(compacted.text()).containsExactly(5, 6);
    assertThat(firstSite(PositionPolicy.COMPACTED).next()).isEqualTo(7);
  }

  /** Live visual token 2, the original 4, is made anew in its place; 0 comes after the last one. */
  @Test
  void mergedTokensCountAfterThoseThatArrive() {
    PositionedTokens arriving = firstSite(PositionPolicy.ORIGINAL);
    Selection selection =
        Selection.of(new int[] {1, 2})
            .withMerged(
                List.of(
                    new MergedToken(2, new int[] {0, 2}, new float[] {0.25f, 0.75f}),
                    MergedToken.mean(0, 0)));
    TokenReduction reduction = TokenReduction.of(context(arriving), selection);
    assertThat(reduction.liveVisual()).containsExactly(1, 3, 4);
    assertThat(reduction.livePlaces()).containsExactly(1, 2, 2);
    assertThat(reduction.liveOrigins()).containsExactly(2, 0);
    assertThat(reduction.merges().sources()).containsExactly(0, 2);
    assertThat(reduction.merges().weights()).containsExactly(0.25f, 0.75f, 1, 0);
    assertThat(arriving.live().originRows(reduction)).containsExactly(4, 2);
    SeamRows seam = arriving.reduced(reduction, PositionPolicy.ORIGINAL);
    assertThat(seam.arriving().promptPositions()).containsExactly(0, 1, 2, 5, 6, 7, 8, 6, 2);
    assertThat(seam.arriving().originalVisual()).containsExactly(-1, -1, 0, 3, 4, -1, -1, 4, 0);
    assertThat(seam.positions().axes()[0]).containsExactly(0, 1, 2, 5, 6, 7, 8, 6, 2);
    assertThat(seam.keptRows()).containsExactly(0, 1, 3, 7, 8, 5, 6);
    assertThat(seam.merges().sources()).containsExactly(2, 4);
    assertThat(seam.merges().weights()).containsExactly(0.25f, 0.75f, 1, 0);
    assertThat(seam.left().live().promptPositions()).containsExactly(0, 1, 5, 6, 2, 7, 8);
    assertThat(seam.left().live().liveOriginals()).containsExactly(3, 4, 0);
    assertThat(seam.left().positions().axes()[0]).containsExactly(0, 1, 5, 6, 2, 7, 8);
    SeamRows compacted = arriving.reduced(reduction, PositionPolicy.COMPACTED);
    assertThat(compacted.positions().axes()[0]).containsExactly(0, 1, 0, 2, 0, 5, 6, 3, 4);
    assertThat(compacted.left().positions().axes()[0]).containsExactly(0, 1, 2, 3, 4, 5, 6);
    assertThat(compacted.left().next()).isEqualTo(7);
  }

  /** A grid of 1 x 2 after one word: text goes on where the wider side ends. */
  @Test
  void positionsOnThreeAxesGoThroughTheSameSeam() {
    TokenLayout layout = new TokenLayout(5, List.of(new VisualSpan(0, 0, 1, 2, 1, 2)));
    PositionedTokens prompt = PositionedTokens.of(layout, 3);
    SiteContext context = SiteContext.whole(new Site.AfterVision(), layout, 0);
    TokenReduction reduction = TokenReduction.of(context, Selection.of(new int[] {1}));
    PositionedTokens left = prompt.reduced(reduction, PositionPolicy.ORIGINAL).left();
    assertThat(left.positions().axes())
        .isDeepEqualTo(new long[][] {{0, 1, 3, 4}, {0, 1, 3, 4}, {0, 2, 3, 4}});
    assertThat(left.next()).isEqualTo(5);
    assertThat(prompt.reduced(reduction, PositionPolicy.COMPACTED).left().positions().axes())
        .isDeepEqualTo(new long[][] {{0, 1, 2, 3}, {0, 1, 2, 3}, {0, 1, 2, 3}});
  }

  @Test
  void whenNoVisualTokenIsLeftOnlyTextGoesOn() {
    LiveTokens live =
        seam(PROMPT, PositionPolicy.COMPACTED, Selection.of(new int[0])).left().live();
    assertThat(live.promptPositions()).containsExactly(0, 1, 7, 8);
    assertThat(live.visualRows()).isEmpty();
    assertThat(live.rows(Rows.TEXT_AFTER_VISUAL)).containsExactly(0, 1, 2, 3);
    assertThat(live.types()).containsExactly(0, 0, 0, 0);
  }
}
