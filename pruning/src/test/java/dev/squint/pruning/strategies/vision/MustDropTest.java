package dev.squint.pruning.strategies.vision;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.error.StrategyException;
import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.layout.VisualSpan;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observations;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Stage;
import dev.squint.pruning.site.MergedToken;
import dev.squint.pruning.site.Scope;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SiteContext;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.spec.Budget;
import dev.squint.pruning.strategies.math.Models;
import dev.squint.pruning.strategies.math.Waves;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class MustDropTest {

  private static final Expression FEATURES = Observe.featureSimilarity(Stage.BEFORE_PROJECTOR);

  @Test
  void actsBeforeTheProjector() {
    SitePlan plan = Models.onlySite(budget(2, 0.2222));
    assertThat(plan.site()).isEqualTo(new Site.BeforeProjector());
    assertThat(plan.needs()).containsExactly(FEATURES);
  }

  /** 56 of the 64 windows of 24 x 24 are merged for 128 tokens. */
  @Test
  void publishedCount() {
    Observation alike = constant(576, 0.5f);
    for (MustDrop strategy :
        List.of(budget(3, 0.2222), new MustDrop("budget", 3, 0.6, tokens(128, Scope.TILE)))) {
      Selection selection = select(strategy, alike, new int[] {24, 24});
      assertThat(selection.size()).isEqualTo(128);
      assertThat(selection.merged()).hasSize(56);
      assertThat(selection.added()).isEmpty();
    }
  }

  /** A grid of 2 x 4: the left window is alike, the right one is not. */
  @Test
  void theMoreSimilarWindowIsMerged() {
    Selection selection =
        select(
            new MustDrop("budget", 2, 0.6, tokens(5, Scope.TILE)), twoWindows(), new int[] {2, 4});
    assertThat(selection.keptVisual()).containsExactly(2, 3, 5, 6, 7);
    assertThat(selection.merged()).containsExactly(MergedToken.mean(5, 0, 1, 4, 5));
  }

  /** Six pairs of 0.75 on the left, of 0.25 on the right. */
  @Test
  void thresholdIsReachedByTheMeanOfAllPairs() {
    assertThat(select(threshold(0.75), twoWindows(), new int[] {2, 4}).merged()).hasSize(1);
    assertThat(select(threshold(0.76), twoWindows(), new int[] {2, 4}).merged()).isEmpty();
    assertThat(select(threshold(0.25), twoWindows(), new int[] {2, 4}).merged()).hasSize(2);
  }

  /** NumPy in double precision from the same features: windows by their last patch. */
  @Test
  void agreesWithNumPy() {
    Observation features = new Waves(144, 24, 0.37, 0.11).cosines();
    assertThat(
            select(
                new MustDrop("budget", 3, 0.6, tokens(80, Scope.TILE)),
                features,
                new int[] {12, 12}))
        .satisfies(selection -> assertThat(selection.size()).isEqualTo(80))
        .extracting(MustDropTest::origins)
        .isEqualTo(List.of(29, 35, 62, 68, 98, 101, 107, 137));
    assertThat(
            origins(
                select(
                    new MustDrop("threshold", 3, 0.1155, tokens(1, Scope.TILE)),
                    features,
                    new int[] {12, 12})))
        .isEqualTo(List.of(29, 35, 62, 68, 98, 107));
  }

  private static List<Integer> origins(Selection selection) {
    return selection.merged().stream().map(MergedToken::origin).sorted().toList();
  }

  /** 3 x 5 in windows of 2: four whole columns and one narrow, two rows and one flat. */
  @Test
  void windowsAtTheEdgeAreSmaller() {
    Selection selection = select(threshold(0.1), constant(15, 0.5f), new int[] {3, 5});
    assertThat(selection.merged())
        .containsExactly(
            MergedToken.mean(6, 0, 1, 5, 6),
            MergedToken.mean(8, 2, 3, 7, 8),
            MergedToken.mean(9, 4, 9),
            MergedToken.mean(11, 10, 11),
            MergedToken.mean(13, 12, 13));
    assertThat(selection.keptVisual()).containsExactly(6, 8, 9, 11, 13, 14);
  }

  /** 15 tokens, 11 asked for: one window of 4 leaves 12, a second 9, but one of 2 leaves 11. */
  @Test
  void smallWindowsFillUpTheBudget() {
    Selection selection =
        select(
            new MustDrop("budget", 2, 0.6, tokens(11, Scope.TILE)),
            constant(15, 0.5f),
            new int[] {3, 5});
    assertThat(selection.size()).isEqualTo(11);
    assertThat(selection.merged()).extracting(MergedToken::origin).containsExactly(6, 9);
  }

  @Test
  void budgetBelowWhatWindowsCanReachIsSaid() {
    Selection selection = select(budget(2, 0.1), constant(16, 0.5f), new int[] {4, 4});
    assertThat(selection.size()).isEqualTo(4);
    assertThat(selection.notes())
        .containsExactly(
            "every window of 2 x 2 is merged, and still more tokens are left than the budget");
    assertThat(select(budget(2, 0.25), constant(16, 0.5f), new int[] {4, 4}).notes()).isEmpty();
  }

  /** In the second tile everything is more alike. */
  @Test
  void budgetOfTheRequestComparesTiles() {
    float[] values = new float[8 * 4];
    for (int i = 0; i < values.length; i++) {
      values[i] = i < 16 ? 0.5f : 0.9f;
    }
    Observation features = new Observation(8, 4, values);
    MustDrop strategy = new MustDrop("budget", 2, 0.6, tokens(5, Scope.REQUEST));
    assertThat(select(strategy, features, new int[] {2, 2}, new int[] {2, 2}).merged())
        .containsExactly(MergedToken.mean(7, 4, 5, 6, 7));
  }

  @Test
  void rowsThatNewlineTokensPartAreOneGrid() {
    List<VisualSpan> rows =
        IntStream.range(0, 2).mapToObj(row -> new VisualSpan(0, 0, 5 * row, 4, 1, 4)).toList();
    MustDrop strategy = threshold(0.75);
    SitePlan plan = Models.onlySite(strategy);
    Selection selection =
        plan.decision()
            .select(
                SiteContext.whole(plan.site(), new TokenLayout(10, rows), 0),
                Observations.of(Map.of(FEATURES, twoWindows())));
    assertThat(selection.merged()).containsExactly(MergedToken.mean(5, 0, 1, 4, 5));
  }

  @Test
  void tokensWithoutAGridAreOneRow() {
    TokenLayout layout = new TokenLayout(8, List.of(new VisualSpan(0, 0, 5, 0, 0)));
    MustDrop strategy = threshold(0.1);
    SitePlan plan = Models.onlySite(strategy);
    Selection selection =
        plan.decision()
            .select(
                SiteContext.whole(plan.site(), layout, 0),
                Observations.of(Map.of(FEATURES, constant(5, 0.5f))));
    assertThat(selection.keptVisual()).containsExactly(1, 3, 4);
  }

  @Test
  void oneSentencePerMistake() {
    assertThatThrownBy(() -> new MustDrop("best", 3, 0.6, tokens(1, Scope.TILE)))
        .isInstanceOf(StrategyException.class)
        .hasMessage("strategy 'mustdrop': rule=best is not known; choose one of budget, threshold");
    assertThatThrownBy(() -> budget(1, 0.5))
        .hasMessage(
            "strategy 'mustdrop': window=1 is out of range; choose a whole number of at least 2");
    assertThatThrownBy(() -> threshold(1.5))
        .hasMessageStartingWith("strategy 'mustdrop': similarity=1.5 is out of range");
  }

  @Property(tries = 200)
  void everyTokenStaysOrIsInOneWindow(
      @ForAll @IntRange(min = 1, max = 13) int rows,
      @ForAll @IntRange(min = 1, max = 13) int columns,
      @ForAll @IntRange(min = 2, max = 5) int window,
      @ForAll @IntRange(min = 1, max = 169) int count,
      @ForAll long seed) {
    int tokens = rows * columns;
    SplittableRandom random = new SplittableRandom(seed);
    float[] values = new float[tokens * tokens];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextDouble(-1, 1);
    }
    Selection selection =
        select(
                new MustDrop("budget", window, 0.6, tokens(count, Scope.TILE)),
                new Observation(tokens, tokens, values),
                new int[] {rows, columns})
            .requireFits(tokens);
    int[] times = new int[tokens];
    for (MergedToken token : selection.merged()) {
      assertThat(token.sources()).hasSizeBetween(2, window * window).contains(token.origin());
      assertThat(selection.keeps(token.origin())).isTrue();
      for (int source : token.sources()) {
        times[source]++;
      }
    }
    for (int token = 0; token < tokens; token++) {
      assertThat(times[token]).isLessThanOrEqualTo(1);
      if (times[token] == 0) {
        assertThat(selection.keeps(token)).isTrue();
      }
    }
    assertThat(selection.size()).isGreaterThanOrEqualTo(Math.min(count, tokens));
  }

  private static MustDrop budget(int window, double keep) {
    return new MustDrop("budget", window, 0.6, new Budget(keep, OptionalInt.empty(), Scope.TILE));
  }

  private static MustDrop threshold(double similarity) {
    return new MustDrop("threshold", 2, similarity, tokens(1, Scope.TILE));
  }

  private static Budget tokens(int count, Scope scope) {
    return new Budget(1, OptionalInt.of(count), scope);
  }

  private static Selection select(MustDrop strategy, Observation features, int[]... grids) {
    return Models.select(strategy, Map.of(FEATURES, features), grids);
  }

  private static Observation constant(int tokens, float similarity) {
    float[] values = new float[tokens * tokens];
    for (int i = 0; i < values.length; i++) {
      values[i] = i / tokens == i % tokens ? 1 : similarity;
    }
    return new Observation(tokens, tokens, values);
  }

  /** Of a grid of 2 x 4, pairs in columns 0 and 1 have 0.75 in common, all others 0.25. */
  private static Observation twoWindows() {
    float[] values = new float[64];
    for (int i = 0; i < 8; i++) {
      for (int j = 0; j < 8; j++) {
        values[i * 8 + j] = i == j ? 1 : i % 4 < 2 && j % 4 < 2 ? 0.75f : 0.25f;
      }
    }
    return new Observation(8, 8, values);
  }
}
