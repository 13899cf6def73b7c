package dev.squint.pruning.strategies.vision;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.squint.pruning.Strategies;
import dev.squint.pruning.Strategy;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Heads;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.site.MergedToken;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.strategies.math.Models;
import java.util.Arrays;
import java.util.Map;
import java.util.OptionalInt;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class PruMergeTest {

  private static final Expression KEYS = Observe.keySimilarity(22, Heads.EACH);

  private static Selection select(Strategy strategy, float[] attention, Observation keys) {
    Map<Expression, Observation> seen =
        Map.of(
            Observe.clsAttention(22), new Observation(1, attention.length, attention), KEYS, keys);
    return Models.select(strategy, seen, new int[] {1, attention.length});
  }

  /** The nearer in the row the more similar. */
  private static Observation line(int n) {
    float[] similarity = new float[n * n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        similarity[i * n + j] = 1 - Math.abs(i - j) / (float) n;
      }
    }
    return new Observation(n, n, similarity);
  }

  @Test
  void readsTheLastLayerAndMergesBeforeTheProjector() {
    for (Strategy strategy : new Strategy[] {new PruMerge(false), new PruMerge(true)}) {
      SitePlan plan = Models.onlySite(strategy);
      assertThat(plan.site()).isEqualTo(new Site.BeforeProjector());
      assertThat(plan.needs()).containsExactlyInAnyOrder(Observe.clsAttention(22), KEYS);
      assertThat(plan.merges()).isTrue();
      assertThat(strategy.plan(Models.llava(false)).get(0).needs())
          .containsExactlyInAnyOrder(Observe.attentionReceived(22), KEYS);
    }
  }

  /**
   * Sorted 1 1 2 2 3 3 4 4 10: quartiles at places 2 and 6 are 2 and 4, so 10 is above 4 + 3; were
   * it 7, it would not be.
   */
  @Test
  void outliersAreImportant() {
    float[] attention = {1, 2, 3, 4, 10, 4, 3, 2, 1};
    Selection paper = select(Strategies.parse("prumerge:neighbours=2"), attention, line(9));
    assertThat(paper.keptVisual()).containsExactly(4);
    assertThat(paper.scores()).containsExactly(attention);
    assertThat(paper.notes()).isEmpty();
    assertThat(paper.merged())
        .containsExactly(
            new MergedToken(4, new int[] {4, 3, 5}, new float[] {10 / 18f, 4 / 18f, 4 / 18f}));

    attention[4] = 7;
    Selection plain = select(new PruMerge(false), attention, line(9));
    assertThat(plain.keptVisual()).containsExactly(4);
    assertThat(plain.notes())
        .containsExactly(
            "attention stands out nowhere in 1 of 1 tiles, so the highest alone is important there");
  }

  /** Quartiles between two scores: of 0 0 4 8 at places 0.75 and 2.25, so 0 and 5. */
  @Test
  void quartilesAreInterpolated() {
    float[] attention = {0, 4, 0, 8};
    assertThat(select(new PruMerge(false), attention, line(4)).notes()).hasSize(1);
    float[] above = {0, 0, 0, 0, 0, 0, 1, 9};
    assertThat(select(new PruMerge(false), above, line(8)).keptVisual()).containsExactly(6, 7);
    float[] broken = {0, Float.NaN, 0, Float.NEGATIVE_INFINITY, 0, 0, 1, Float.POSITIVE_INFINITY};
    assertThat(select(new PruMerge(false), broken, line(8)).keptVisual()).containsExactly(6, 7);
  }

  /** The code's form: the centre whole, its neighbours as they are weighed, and one token more. */
  @Test
  void codeAddsUpAndGathersTheRest() {
    float[] attention = {1, 2, 3, 4, 10, 4, 3, 2, 1};
    Selection code =
        select(Strategies.parse("prumerge:neighbours=2,rule=code"), attention, line(9));
    assertThat(code.keptVisual()).containsExactly(4);
    assertThat(code.merged())
        .containsExactly(
            new MergedToken(4, new int[] {4, 3, 5}, new float[] {1, 4, 4}),
            new MergedToken(
                3, new int[] {0, 1, 2, 3, 5, 6, 7, 8}, new float[] {1, 2, 3, 4, 4, 3, 2, 1}));
    assertThat(code.size()).isEqualTo(2);
  }

  /**
   * One of 18 stands out: s = 18 / 1 / 3 = 6, so 0, 6 and 12 stay too; what has no attention weighs
   * nothing.
   */
  @Test
  void plusSpreadsTokensEvenly() {
    float[] attention = new float[18];
    attention[7] = 1;
    Selection selection =
        select(Strategies.parse("prumerge-plus:neighbours=2"), attention, line(18));
    assertThat(selection.keptVisual()).containsExactly(0, 6, 7, 12);
    assertThat(selection.merged()).containsExactly(MergedToken.mean(6, 7));
  }

  /** Four of 13: s = 1, so all stay, but in the code the last. */
  @Test
  void codeNeverSpreadsToTheLast() {
    float[] attention = {9, 9, 9, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    assertThat(select(Strategies.parse("prumerge-plus:tokens=4"), attention, line(13)))
        .isEqualTo(Selection.top(attention, 13));
    assertThat(
            select(Strategies.parse("prumerge-plus:tokens=4,rule=code"), attention, line(13))
                .keptVisual())
        .hasSize(12)
        .doesNotContain(12);
  }

  @Test
  void fixedNumberOfImportantTokens() {
    float[] attention = {5, 1, 4, 2, 3};
    Selection selection = select(Strategies.parse("prumerge:tokens=2"), attention, line(5));
    assertThat(selection.keptVisual()).containsExactly(0, 2);
    assertThatThrownBy(() -> Strategies.parse("prumerge:tokens=0"))
        .hasMessage(
            "strategy 'prumerge': tokens=0 is out of range; choose a whole number of at least 1");
    assertThatThrownBy(() -> Strategies.parse("prumerge-plus:rule=cod"))
        .hasMessageStartingWith("strategy 'prumerge-plus': rule=cod is not known; did you mean");
  }

  @Test
  void oneRecordHasTwoNames() {
    for (boolean plus : new boolean[] {false, true}) {
      PruMerge made = new PruMerge(plus, OptionalInt.of(3), OptionalInt.of(4), "code");
      String name = plus ? "prumerge-plus" : "prumerge";
      assertThat(made.name()).isEqualTo(name);
      assertThat(made.spec()).isEqualTo(name + ":tokens=3,neighbours=4,rule=code");
      assertThat(Strategies.parse(made.spec())).isEqualTo(made);
      assertThat(Strategies.parse(name)).isEqualTo(new PruMerge(plus));
      assertThatThrownBy(() -> new PruMerge(plus, OptionalInt.empty(), OptionalInt.of(0), "paper"))
          .hasMessageStartingWith("strategy '%s': neighbours=0 is out of range".formatted(name));
    }
  }

  @Property(tries = 200)
  void meansWeighOneAndCountsAreRight(
      @ForAll @Size(min = 1, max = 60) float[] attention,
      @ForAll @IntRange(min = 1, max = 70) int tokens,
      @ForAll @IntRange(min = 1, max = 40) int neighbours) {
    int n = attention.length;
    Selection selection =
        select(
            Strategies.parse("prumerge:tokens=" + tokens + ",neighbours=" + neighbours),
            attention,
            line(n));
    assertThat(selection.size()).isEqualTo(Math.min(tokens, n));
    for (MergedToken token : selection.merged()) {
      assertThat(token.sources().length).isLessThanOrEqualTo(neighbours + 1);
      assertThat(selection.keeps(token.origin())).isTrue();
      double sum = 0;
      for (float weight : token.weights()) {
        sum += weight;
      }
      assertThat(sum).isCloseTo(1, within(1e-4));
    }
    assertThat(Arrays.stream(selection.keptVisual()).distinct().count())
        .isEqualTo(selection.keptVisual().length);
  }
}
