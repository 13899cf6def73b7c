package dev.squint.pruning.strategies.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.error.StrategyException;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Scope;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.spec.Budget;
import dev.squint.pruning.spec.Retention;
import dev.squint.pruning.strategies.math.Models;
import dev.squint.pruning.strategies.math.Waves;
import java.util.Arrays;
import java.util.Map;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Scale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DartTest {

  private static final Expression KEYS = Observe.keys(1, Rows.VISUAL);
  private static final Expression TEXT_KEYS = Observe.keys(1, Rows.TEXT_AFTER_VISUAL);
  private static final Expression STATES = Observe.hiddenStates(2, Rows.VISUAL, true);
  private static final Expression TEXT_STATES =
      Observe.hiddenStates(2, Rows.TEXT_AFTER_VISUAL, true);

  /** L1 norms 1, 1, 4.5, 5, 0, 2; by their L2 norms token 2 would come before token 3. */
  private static final float[] VISUAL_KEYS = {1, 0, 0, 1, 4.5f, 0, -3, 2, 0, 0, 1, -1};

  private static final double[] DEGREES = {0, 10, 90, 0, 180, 100};

  @Test
  void prunesAfterTheSecondLayer() {
    SitePlan plan = Models.onlySite(dart("paper", 3));
    assertThat(plan.site()).isEqualTo(new Site.BeforeLayer(2));
    assertThat(plan.needs()).containsExactlyInAnyOrder(KEYS, TEXT_KEYS, STATES, TEXT_STATES);
    assertThat(plan.positions()).isEqualTo(PositionPolicy.ORIGINAL);
  }

  /** Pivot 3 takes 180 degrees; the text pivot at 180 takes the first of those at 0 and 10. */
  @Test
  void eachPivotTakesWhatIsLeastLikeIt() {
    assertThat(select(dart("paper", 3)).keptVisual()).containsExactly(0, 3, 4);
  }

  /** Three next to the pivot: two for the visual pivot (180 and 100 degrees), one for the text. */
  @Test
  void firstPivotsTakeOneMore() {
    assertThat(select(dart("paper", 4)).keptVisual()).containsExactly(0, 3, 4, 5);
    assertThat(select(dart("paper", 1)).keptVisual()).containsExactly(3);
  }

  /** Two for each pivot, the visual pivot on top. */
  @Test
  void codeCountsPivotsOnTop() {
    assertThat(select(dart("code", 4)).keptVisual()).containsExactly(0, 1, 3, 4, 5);
  }

  @Test
  void withoutTextTheVisualPivotsShare() {
    Map<Expression, Observation> seen =
        Map.of(
            KEYS, new Observation(6, 2, VISUAL_KEYS),
            TEXT_KEYS, new Observation(0, 2, new float[0]),
            STATES, directions(DEGREES),
            TEXT_STATES, new Observation(0, 2, new float[0]));
    assertThat(Models.select(dart("paper", 3), seen, new int[] {2, 3}).keptVisual())
        .containsExactly(3, 4, 5);
  }

  @ParameterizedTest
  @CsvSource({
    "paper, 0.2222, , 128",
    "code, 0.2222, , 124",
    "paper, 1, 128, 128",
    "code, 1, 128, 132"
  })
  void publishedCounts(String rule, double keep, Integer tokens, int count) {
    OptionalInt number = tokens == null ? OptionalInt.empty() : OptionalInt.of(tokens);
    Dart strategy = new Dart(rule, 2, 4, 4, new Budget(keep, number, Scope.REQUEST));
    assertThat(Models.select(strategy, drawn(576, 20, 16, 1), new int[] {24, 24}).size())
        .isEqualTo(count);
  }

  /** NumPy in double precision from the same rows. */
  @ParameterizedTest
  @CsvSource({
    "paper, 2 3 4 7 8 13 14 15 16 17 18 19 21 22 25 27 29 32 35 39 40 41 43 48 50 53 59",
    "code, 2 3 4 7 8 13 14 15 16 17 18 19 21 22 25 27 29 32 35 39 40 41 43 46 48 50 53 59"
  })
  void agreesWithNumPy(String rule, String expected) {
    Map<Expression, Observation> seen =
        Map.of(
            KEYS, new Waves(60, 16, 0.29, 0.07).observation(),
            TEXT_KEYS, new Waves(7, 16, 0.83, 0.05).observation(),
            STATES, new Waves(60, 24, 0.41, 0.13).observation(),
            TEXT_STATES, new Waves(7, 24, 0.77, 0.03).observation());
    Selection selection =
        Models.select(new Dart(rule, 2, 4, 4, budget(27)), seen, new int[] {6, 10});
    assertThat(selection.keptVisual())
        .containsExactly(Arrays.stream(expected.split(" ")).mapToInt(Integer::parseInt).toArray());
  }

  @Test
  void pivotsOfEachImage() {
    Dart each = new Dart("paper", 2, 1, 0, new Budget(1, OptionalInt.of(1), Scope.IMAGE));
    assertThat(Models.select(each, seen(), new int[] {1, 3}, new int[] {1, 3}).keptVisual())
        .containsExactly(2, 3);
  }

  @Property(tries = 100)
  void keepsTheExactCount(
      @ForAll @IntRange(min = 1, max = 80) int tokens,
      @ForAll @IntRange(min = 0, max = 9) int words,
      @ForAll @IntRange(min = 1, max = 9) int visual,
      @ForAll @IntRange(min = 0, max = 9) int text,
      @ForAll @DoubleRange(min = 0.001, max = 1) @Scale(4) double keep,
      @ForAll long seed) {
    Dart strategy =
        new Dart("paper", 2, visual, text, new Budget(keep, OptionalInt.empty(), Scope.REQUEST));
    Selection selection =
        Models.select(strategy, drawn(tokens, words, 5, seed), new int[] {1, tokens});
    assertThat(selection.requireFits(tokens).size()).isEqualTo(Retention.count(tokens, keep));
  }

  @Test
  void oneSentencePerMistake() {
    assertThatThrownBy(() -> new Dart("paper", 32, 4, 4, budget(1)).plan(Models.llava(true)))
        .isInstanceOf(StrategyException.class)
        .hasMessage("strategy 'dart': layer k=32, but the decoder has 32 layers; choose 1..31");
    assertThatThrownBy(() -> new Dart("paper", 2, 0, 4, budget(1)))
        .hasMessage(
            "strategy 'dart': visual=0 is out of range; choose a whole number of at least 1");
  }

  private static Dart dart(String rule, int tokens) {
    return new Dart(rule, 2, 1, 1, budget(tokens));
  }

  private static Budget budget(int tokens) {
    return new Budget(1, OptionalInt.of(tokens), Scope.REQUEST);
  }

  private static Selection select(Dart strategy) {
    return Models.select(strategy, seen(), new int[] {2, 3});
  }

  private static Map<Expression, Observation> seen() {
    return Map.of(
        KEYS,
        new Observation(6, 2, VISUAL_KEYS),
        TEXT_KEYS,
        new Observation(2, 2, new float[] {1, 1, 2, 2}),
        STATES,
        directions(DEGREES),
        TEXT_STATES,
        directions(45, 180));
  }

  private static Observation directions(double... degrees) {
    float[] values = new float[2 * degrees.length];
    for (int i = 0; i < degrees.length; i++) {
      values[2 * i] = (float) ((i + 1) * Math.cos(Math.toRadians(degrees[i])));
      values[2 * i + 1] = (float) ((i + 1) * Math.sin(Math.toRadians(degrees[i])));
    }
    return new Observation(degrees.length, 2, values);
  }

  private static Map<Expression, Observation> drawn(int visual, int text, int width, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    return Map.of(
        KEYS, matrix(random, visual, width),
        TEXT_KEYS, matrix(random, text, width),
        STATES, matrix(random, visual, width),
        TEXT_STATES, matrix(random, text, width));
  }

  private static Observation matrix(SplittableRandom random, int rows, int columns) {
    float[] values = new float[rows * columns];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextDouble(-1, 1);
    }
    return new Observation(rows, columns, values);
  }
}
