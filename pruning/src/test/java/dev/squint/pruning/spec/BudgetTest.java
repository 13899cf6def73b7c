package dev.squint.pruning.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.layout.VisualSpan;
import dev.squint.pruning.site.Scope;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SiteContext;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class BudgetTest {

  /** RgbImage 0 in two tiles of 3 tokens, image 1 of 4 tokens; text around all of them. */
  private static final TokenLayout LAYOUT =
      new TokenLayout(
          16,
          List.of(
              new VisualSpan(0, 0, 1, 3, 1, 3),
              new VisualSpan(0, 1, 5, 3, 1, 3),
              new VisualSpan(1, 0, 9, 4, 2, 2)));

  private static final SiteContext CONTEXT = SiteContext.whole(new Site.AfterVision(), LAYOUT, 0);

  private static final float[] SCORES = {9, 8, 7, 1, 2, 3, 6, 5, 4, 0};

  private static Selection top(double keep, Scope scope) {
    return new Budget(keep, OptionalInt.empty(), scope).top(CONTEXT, SCORES);
  }

  private static Selection top(int tokens, Scope scope) {
    return new Budget(1, OptionalInt.of(tokens), scope).top(CONTEXT, SCORES);
  }

  @Test
  void scopesDivideTheTokens() {
    assertThat(Scope.REQUEST.groups(CONTEXT)).containsExactly(new Scope.Group(0, 10));
    assertThat(Scope.IMAGE.groups(CONTEXT))
        .containsExactly(new Scope.Group(0, 6), new Scope.Group(6, 10));
    assertThat(Scope.TILE.groups(CONTEXT))
        .containsExactly(new Scope.Group(0, 3), new Scope.Group(3, 6), new Scope.Group(6, 10));
    assertThat(Scope.FRAME.groups(CONTEXT)).isEqualTo(Scope.TILE.groups(CONTEXT));
  }

  @Test
  void budgetIsCountedForItsScope() {
    assertThat(top(0.3, Scope.REQUEST).keptVisual()).containsExactly(0, 1, 2);
    assertThat(top(0.5, Scope.IMAGE).keptVisual()).containsExactly(0, 1, 2, 6, 7);
    assertThat(top(0.5, Scope.TILE).keptVisual()).containsExactly(0, 1, 4, 5, 6, 7);
    assertThat(top(1, Scope.TILE).keptVisual()).containsExactly(0, 5, 6);
    assertThat(top(2, Scope.REQUEST).keptVisual()).containsExactly(0, 1);
  }

  @Test
  void moreThanThereAreIsClampedAndSaid() {
    Selection all = top(4, Scope.TILE);
    assertThat(all.keptVisual()).containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
    assertThat(all.notes())
        .containsExactly("tokens=4 was asked for per tile, but there are 3, so all of those stay");
    assertThat(top(3, Scope.TILE).notes()).isEmpty();
  }

  @Test
  void newlineTokensBetweenRowsAreTextAndTheRowsOneImage() {
    TokenLayout rows =
        new TokenLayout(
            9,
            List.of(
                new VisualSpan(0, 0, 1, 2, 1, 2),
                new VisualSpan(0, 0, 4, 2, 1, 2),
                new VisualSpan(0, 0, 7, 2, 1, 2)));
    SiteContext context = SiteContext.whole(new Site.AfterVision(), rows, 0);
    assertThat(Scope.TILE.groups(context)).containsExactly(new Scope.Group(0, 6));
    assertThat(context.positions().visual()).containsExactly(1, 2, 4, 5, 7, 8);
    assertThat(context.positions().text()).isEmpty();
  }

  @Test
  void noTokenNoGroup() {
    SiteContext empty = SiteContext.whole(new Site.AfterVision(), new TokenLayout(3, List.of()), 0);
    assertThat(Scope.IMAGE.groups(empty)).isEmpty();
    assertThat(new Budget(0.5, OptionalInt.of(3), Scope.IMAGE).top(empty, new float[0]).size())
        .isZero();
  }

  @Test
  void refusedValues() {
    assertThatThrownBy(() -> new Budget(0, OptionalInt.empty(), Scope.IMAGE))
        .hasMessage("keep=0.0 is out of range; choose a retention ratio above 0 and at most 1");
    assertThatThrownBy(() -> new Budget(1, OptionalInt.of(0), Scope.IMAGE))
        .hasMessage("tokens=0 is out of range; choose a whole number of at least 1");
  }

  @Property
  void keepsTheBudgetOfEachGroup(
      @ForAll @Size(10) float[] scores, @ForAll @IntRange(min = 1, max = 12) int tokens) {
    for (Scope scope : Scope.values()) {
      int[] kept = new Budget(1, OptionalInt.of(tokens), scope).top(CONTEXT, scores).keptVisual();
      for (Scope.Group group : scope.groups(CONTEXT)) {
        assertThat(Arrays.stream(kept).filter(i -> i >= group.from() && i < group.to()).count())
            .isEqualTo(Math.min(tokens, group.size()));
      }
    }
  }
}
