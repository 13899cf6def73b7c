package dev.squint.pruning.strategies.vision;

import static org.assertj.core.api.Assertions.assertThat;

import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Stage;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Scope;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.spec.Budget;
import dev.squint.pruning.spec.Retention;
import dev.squint.pruning.strategies.math.Models;
import dev.squint.pruning.strategies.math.Waves;
import java.util.Map;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Scale;
import org.junit.jupiter.api.Test;

class DivPruneTest {

  private static final Expression SIMILARITY = Observe.featureSimilarity(Stage.PROJECTED);

  /** Five directions in a plane; token 1 repeats token 0. */
  private static final double[] DEGREES = {0, 0, 40, 100, 170};

  @Test
  void readsTheFeaturesThatEnterTheDecoder() {
    SitePlan plan = Models.onlySite(new DivPrune(0.098));
    assertThat(plan.site()).isEqualTo(new Site.AfterVision());
    assertThat(plan.needs()).containsExactly(SIMILARITY);
    assertThat(plan.positions()).isEqualTo(PositionPolicy.COMPACTED);
  }

  @Test
  void publishedCount() {
    assertThat(select(new DivPrune(0.098), directions(circle(576)), new int[] {24, 24}).size())
        .isEqualTo(56);
  }

  /** Nearest others lie 0, 0, 40, 60 and 70 degrees away: token 4 is the first pick. */
  @Test
  void firstPickIsFarthestFromItsNearest() {
    assertThat(keep(1)).containsExactly(4);
  }

  /** From 170 the tokens 0 and 1 are farthest (lower index first), then 100: 70 of 40 and 70. */
  @Test
  void furtherPicksAreFarthestFromThoseKept() {
    assertThat(keep(2)).containsExactly(0, 4);
    assertThat(keep(3)).containsExactly(0, 3, 4);
    assertThat(keep(4)).containsExactly(0, 2, 3, 4);
  }

  /** NumPy in double precision from the same features. */
  @Test
  void agreesWithNumPy() {
    assertThat(select(tokens(12), new Waves(48, 24, 0.37, 0.11).cosines(), new int[] {6, 8}))
        .extracting(Selection::keptVisual)
        .isEqualTo(new int[] {3, 6, 7, 10, 14, 16, 22, 36, 38, 42, 45, 46});
  }

  @Test
  void brokenDistancesAreSmallest() {
    float[] values = cosines(DEGREES);
    for (int i = 0; i < 5; i++) {
      values[4 * 5 + i] = values[i * 5 + 4] = Float.NaN;
    }
    Observation similarity = new Observation(5, 5, values);
    assertThat(select(tokens(3), similarity, new int[] {1, 5}).keptVisual())
        .doesNotContain(4)
        .hasSize(3);
  }

  @Test
  void budgetOfTheRequestIsSharedAmongTiles() {
    Observation similarity = new Observation(10, 5, twice(cosines(DEGREES)));
    Budget four = new Budget(1, OptionalInt.of(4), Scope.REQUEST);
    int[][] tiles = {{1, 5}, {1, 5}};
    assertThat(select(new DivPrune(four), similarity, tiles).keptVisual())
        .containsExactly(0, 4, 5, 9);
    assertThat(select(tokens(2), similarity, tiles).keptVisual()).containsExactly(0, 4, 5, 9);
  }

  @Property
  void picksWhatTheDefinitionPicks(
      @ForAll @IntRange(min = 2, max = 40) int tokens,
      @ForAll @DoubleRange(min = 0.001, max = 1) @Scale(4) double keep,
      @ForAll long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    double[] degrees = new double[tokens];
    for (int i = 0; i < tokens; i++) {
      degrees[i] = random.nextDouble(0, 180);
    }
    Selection selection =
        select(new DivPrune(keep), directions(degrees), new int[] {1, tokens}).requireFits(tokens);
    int count = Retention.count(tokens, keep);
    assertThat(selection.size()).isEqualTo(count);
    if (count < tokens) {
      assertThat(selection.keptVisual()).containsExactly(byDefinition(cosines(degrees), count));
    }
  }

  /** Every minimum taken anew at each pick. */
  private static int[] byDefinition(float[] cosines, int count) {
    int tokens = (int) Math.sqrt(cosines.length);
    boolean[] picked = new boolean[tokens];
    for (int round = 0; round < count; round++) {
      int best = -1;
      float farthest = 0;
      for (int i = 0; i < tokens; i++) {
        float nearest = Float.NEGATIVE_INFINITY;
        for (int j = 0; j < tokens; j++) {
          if (i != j && (round == 0 || picked[j])) {
            nearest = Math.max(nearest, cosines[j * tokens + i]);
          }
        }
        if (!picked[i] && (best < 0 || nearest < farthest)) {
          best = i;
          farthest = nearest;
        }
      }
      picked[best] = true;
    }
    return IntStream.range(0, tokens).filter(i -> picked[i]).toArray();
  }

  private static int[] keep(int count) {
    return select(tokens(count), directions(DEGREES), new int[] {1, 5}).keptVisual();
  }

  private static DivPrune tokens(int count) {
    return new DivPrune(new Budget(1, OptionalInt.of(count), Scope.TILE));
  }

  private static Selection select(DivPrune strategy, Observation similarity, int[]... grids) {
    return Models.select(strategy, Map.of(SIMILARITY, similarity), grids);
  }

  private static Observation directions(double[] degrees) {
    return new Observation(degrees.length, degrees.length, cosines(degrees));
  }

  private static double[] circle(int tokens) {
    double[] degrees = new double[tokens];
    for (int i = 0; i < tokens; i++) {
      degrees[i] = 360.0 * i / tokens;
    }
    return degrees;
  }

  private static float[] cosines(double[] degrees) {
    float[] values = new float[degrees.length * degrees.length];
    for (int i = 0; i < degrees.length; i++) {
      for (int j = 0; j < degrees.length; j++) {
        values[i * degrees.length + j] =
            (float) Math.cos(Math.toRadians(Math.abs(degrees[i] - degrees[j])));
      }
    }
    return values;
  }

  private static float[] twice(float[] values) {
    float[] both = new float[2 * values.length];
    System.arraycopy(values, 0, both, 0, values.length);
    System.arraycopy(values, 0, both, values.length, values.length);
    return both;
  }
}
