package dev.squint.pruning.strategies.vision;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.pruning.Strategies;
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
import dev.squint.pruning.strategies.math.GreedyCoverage;
import dev.squint.pruning.strategies.math.Models;
import java.util.Arrays;
import java.util.Map;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class SCOPETest {

  private static final Expression SIMILARITY = Observe.featureSimilarity(Stage.BEFORE_PROJECTOR);
  private static final Expression CLS = Observe.clsAttention(22);

  /** Two pairs that resemble each other, and one token unlike all. */
  private static final float[] PAIRS = {
    1, 0.8f, 0, 0, -0.5f, //
    0.8f, 1, 0, 0, -0.5f, //
    0, 0, 1, 0.6f, 0, //
    0, 0, 0.6f, 1, 0, //
    -0.5f, -0.5f, 0, 0, 1
  };

  private static final float[] EVEN = {1, 1, 1, 1, 1};

  @Test
  void readsAttentionAndFeaturesOfTheTower() {
    SitePlan plan = Models.onlySite(Strategies.parse("scope"));
    assertThat(plan.site()).isEqualTo(new Site.AfterVision());
    assertThat(plan.needs()).containsExactlyInAnyOrder(CLS, SIMILARITY);
    assertThat(plan.positions()).isEqualTo(PositionPolicy.COMPACTED);
    assertThat(Strategies.parse("scope").plan(Models.llava(false)).get(0).needs())
        .containsExactlyInAnyOrder(Observe.attentionReceived(22), SIMILARITY);
  }

  @Test
  void publishedCount() {
    float[] alike = new float[576 * 576];
    Arrays.fill(alike, 1);
    assertThat(
            select((SCOPE) Strategies.parse("scope"), alike, new float[576], new int[] {24, 24})
                .size())
        .isEqualTo(64);
  }

  /**
   * Gains 1.8, 1.8, 1.6, 1.6 and 1 at first: token 0. Then 1 adds 0.2 to the first pair; 2 and 3
   * add 1.6; 4 adds 1: token 2. Then 4 adds 1, then 3 adds 0.4.
   */
  @Test
  void picksWhatCoversMost() {
    assertThat(keep(1, 1, EVEN)).containsExactly(0);
    assertThat(keep(1, 2, EVEN)).containsExactly(0, 2);
    assertThat(keep(1, 3, EVEN)).containsExactly(0, 2, 4);
    assertThat(keep(1, 4, EVEN)).containsExactly(0, 2, 3, 4);
  }

  /** Attention 2 of token 1 beats the lower index; 4 of token 3 makes 1.6 the most, then 3.6. */
  @Test
  void saliencyWeighsTheGain() {
    assertThat(keep(1, 1, new float[] {1, 2, 1, 1, 1})).containsExactly(1);
    assertThat(keep(1, 2, new float[] {1, 2, 1, 4, 1})).containsExactly(1, 3);
    assertThat(keep(1, 1, new float[] {1, 1, 1, 1, 3})).containsExactly(4);
  }

  /** To the half, 3 is 1.73, and 1 * 1.73 is less than the 1.8 of token 0. */
  @Test
  void alphaIsAnExponent() {
    float[] saliency = {1, 1, 1, 1, 3};
    assertThat(keep(0.5, 1, saliency)).containsExactly(0);
    assertThat(keep(0, 3, saliency)).containsExactly(0, 2, 4);
  }

  @Test
  void brokenNumbersComeLast() {
    float[] similarity = PAIRS.clone();
    similarity[0] = similarity[1] = Float.NaN;
    assertThat(select(tokens(1, 1), similarity, EVEN, new int[] {1, 5}).keptVisual())
        .containsExactly(1);
    float[] saliency = {Float.NaN, 1, 1, 1, Float.NaN};
    assertThat(keep(1, 3, saliency)).containsExactly(1, 2, 3);
  }

  @Test
  void negativeCosinesCoverNothing() {
    float[] apart = {1, -0.9f, -0.9f, -0.9f, 1, 0.1f, -0.9f, 0.1f, 1};
    assertThat(
            select(tokens(1, 1), apart, new float[] {1.05f, 1, 1}, new int[] {1, 3}).keptVisual())
        .containsExactly(1);
  }

  @Test
  void budgetOfTheRequestIsSharedAmongTiles() {
    float[] both = new float[50];
    System.arraycopy(PAIRS, 0, both, 0, 25);
    System.arraycopy(PAIRS, 0, both, 25, 25);
    float[] saliency = {1, 1, 1, 1, 1, 1, 1, 1, 1, 3};
    Budget four = new Budget(1, OptionalInt.of(4), Scope.REQUEST);
    int[][] tiles = {{1, 5}, {1, 5}};
    assertThat(
            Models.select(
                    new SCOPE(1, four),
                    Map.of(SIMILARITY, new Observation(10, 5, both), CLS, row(saliency)),
                    tiles)
                .keptVisual())
        .containsExactly(0, 2, 5, 9);
  }

  @Test
  void alphaBelowZeroIsRefused() {
    assertThatThrownBy(() -> Strategies.parse("scope:alpha=-1"))
        .hasMessageContaining("alpha=-1")
        .hasMessageContaining("a number of at least 0");
  }

  /** Lazily as if every gain were taken anew at each pick. */
  @Property(tries = 200)
  void picksWhatTheDefinitionPicks(
      @ForAll @IntRange(min = 2, max = 40) int tokens,
      @ForAll @IntRange(min = 1, max = 40) int count,
      @ForAll long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] extents = new float[tokens * tokens];
    double[] weights = new double[tokens];
    for (int i = 0; i < extents.length; i++) {
      extents[i] = random.nextInt(-64, 65) / 64f; // sums are exact, so that equals are equal
    }
    Arrays.setAll(weights, i -> random.nextInt(1, 4));
    GreedyCoverage coverage =
        new GreedyCoverage(
            tokens, (i, into) -> System.arraycopy(extents, i * tokens, into, 0, tokens));
    int wanted = Math.min(tokens, count);
    assertThat(coverage.pick(weights, wanted))
        .containsExactly(byDefinition(extents, weights, wanted));
  }

  private static int[] byDefinition(float[] extents, double[] weights, int count) {
    int tokens = weights.length;
    float[] covered = new float[tokens];
    boolean[] picked = new boolean[tokens];
    for (int round = 0; round < count; round++) {
      int best = -1;
      double most = -1;
      for (int i = 0; i < tokens; i++) {
        double gain = 0;
        for (int j = 0; j < tokens; j++) {
          gain += Math.max(0, extents[i * tokens + j] - covered[j]);
        }
        if (!picked[i] && weights[i] * gain > most) {
          best = i;
          most = weights[i] * gain;
        }
      }
      picked[best] = true;
      for (int j = 0; j < tokens; j++) {
        covered[j] = Math.max(covered[j], extents[best * tokens + j]);
      }
    }
    return IntStream.range(0, tokens).filter(i -> picked[i]).toArray();
  }

  private static int[] keep(double alpha, int count, float[] saliency) {
    return select(tokens(alpha, count), PAIRS, saliency, new int[] {1, 5}).keptVisual();
  }

  private static SCOPE tokens(double alpha, int count) {
    return new SCOPE(alpha, new Budget(1, OptionalInt.of(count), Scope.TILE));
  }

  private static Selection select(
      SCOPE strategy, float[] similarity, float[] saliency, int[] grid) {
    int tokens = saliency.length;
    return Models.select(
        strategy,
        Map.of(SIMILARITY, new Observation(tokens, tokens, similarity), CLS, row(saliency)),
        grid);
  }

  private static Observation row(float[] values) {
    return new Observation(1, values.length, values);
  }
}
