package dev.squint.pruning.strategies.vision;

import static org.assertj.core.api.Assertions.assertThat;

import dev.squint.pruning.Strategies;
import dev.squint.pruning.Strategy;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Stage;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.strategies.math.Models;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class VisPrunerTest {

  private static final Expression FEATURES = Observe.featureSimilarity(Stage.BEFORE_PROJECTOR);

  private static Selection select(Strategy strategy, float[] attention, Observation features) {
    Map<Expression, Observation> seen =
        Map.of(
            Observe.clsAttention(22),
            new Observation(1, attention.length, attention),
            FEATURES,
            features);
    return Models.select(strategy, seen, new int[] {1, attention.length});
  }

  private static Strategy tokens(int tokens, double important) {
    return Strategies.parse("vispruner:tokens=" + tokens + ",important=" + important);
  }

  @Test
  void readsTheLastLayerAndTheFeatures() {
    SitePlan plan = Models.onlySite(new VisPruner(0.25));
    assertThat(plan.site()).isEqualTo(new Site.AfterVision());
    assertThat(plan.needs()).containsExactlyInAnyOrder(Observe.clsAttention(22), FEATURES);
    assertThat(plan.merges()).isFalse();
    assertThat(new VisPruner(0.25).plan(Models.llava(false)).get(0).needs())
        .containsExactlyInAnyOrder(Observe.attentionReceived(22), FEATURES);
  }

  /**
   * Attention falls with the index, 0 and 1 are important. Of the seven others 2 4 6 8 are compared
   * with 3 5 7: 4 (like 5) leaves first, then 8 (like 3), 2 (like 7) and 6. A budget of four has a
   * second round, in which 3 and 7 are compared with 5: they are equally unlike it, so 3 leaves.
   */
  @Test
  void roundsByHand() {
    float[] attention = {9, 8, 7, 6, 5, 4, 3, 2, 1};
    float[] same = new float[81];
    link(same, 4, 5, 0.9f);
    link(same, 8, 3, 0.8f);
    link(same, 2, 7, 0.7f);
    link(same, 6, 3, 0.1f);
    Observation features = new Observation(9, 9, same);
    assertThat(select(tokens(6, 0.34), attention, features).keptVisual())
        .containsExactly(0, 1, 3, 5, 6, 7);
    assertThat(select(tokens(8, 0.25), attention, features).keptVisual())
        .containsExactly(0, 1, 2, 3, 5, 6, 7, 8);
    assertThat(select(tokens(5, 0.4), attention, features).keptVisual())
        .containsExactly(0, 1, 3, 5, 7);
    assertThat(select(tokens(4, 0.5), attention, features).keptVisual())
        .containsExactly(0, 1, 5, 7);
  }

  private static void link(float[] similarity, int one, int other, float value) {
    similarity[one * 9 + other] = value;
    similarity[other * 9 + one] = value;
  }

  /** N = 576, T = 64: 32 by attention, the other 544 thinned to 32 in 64 rounds of 8. */
  @Test
  void publishedSplit() {
    float[] attention = new float[576];
    for (int i = 0; i < 32; i++) {
      attention[18 * i] = 1;
    }
    Selection selection = select(tokens(64, 0.5), attention, drawn(576, 3));
    assertThat(selection.keptVisual())
        .hasSize(64)
        .contains(IntStream.range(0, 32).map(i -> 18 * i).toArray());
    assertThat(selection.scores()).containsExactly(attention);
  }

  @Test
  void allByAttentionIsFasterVlm() {
    float[] attention = {1, 9, 2, 8, 3, 7};
    assertThat(select(tokens(3, 1), attention, drawn(6, 1)).keptVisual()).containsExactly(1, 3, 5);
  }

  /** Cosines of drawn vectors of three numbers, some of them not a number. */
  private static Observation drawn(int n, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    double[][] vectors = new double[n][];
    for (int i = 0; i < n; i++) {
      vectors[i] = random.doubles(3, -1, 1).toArray();
      if (i > 0 && random.nextInt(8) == 0) {
        vectors[i] = vectors[random.nextInt(i)];
      }
    }
    float[] cosines = new float[n * n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        cosines[i * n + j] = i % 97 == 96 ? Float.NaN : (float) cosine(vectors[i], vectors[j]);
      }
    }
    return new Observation(n, n, cosines);
  }

  private static double cosine(double[] a, double[] b) {
    double dot = a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
    double norms = a[0] * a[0] + a[1] * a[1] + a[2] * a[2];
    return dot / Math.sqrt(norms * (b[0] * b[0] + b[1] * b[1] + b[2] * b[2]));
  }

  @Property(tries = 200)
  void isWhatTheRuleWrittenDownGives(
      @ForAll @IntRange(min = 1, max = 200) int n,
      @ForAll @IntRange(min = 1, max = 210) int tokens,
      @ForAll @DoubleRange(min = 0, max = 1) double important,
      @ForAll long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] attention = new float[n];
    for (int i = 0; i < n; i++) {
      attention[i] = random.nextInt(50) == 0 ? Float.NaN : random.nextInt(n);
    }
    Observation features = drawn(n, seed);
    assertThat(select(tokens(tokens, important), attention, features).keptVisual())
        .containsExactly(slowly(attention, features, Math.min(tokens, n), important));
  }

  private static int[] slowly(float[] attention, Observation similarity, int t, double important) {
    List<Integer> order = new ArrayList<>(IntStream.range(0, attention.length).boxed().toList());
    order.sort(Comparator.comparingDouble(i -> -lowest(attention[i])));
    int first = (int) (t * important);
    List<Integer> residual = order.subList(first, order.size());
    while (residual.size() > t - first) {
      List<Integer> a = new ArrayList<>();
      List<Integer> b = new ArrayList<>();
      for (int i = 0; i < residual.size(); i++) {
        (i % 2 == 0 ? a : b).add(residual.get(i));
      }
      int leave = Math.min(8, residual.size() - (t - first));
      a.sort(
          Comparator.comparingDouble(
              i ->
                  -b.stream()
                      .mapToDouble(j -> lowest(similarity.at(i, j)))
                      .max()
                      .orElse(Double.NEGATIVE_INFINITY)));
      residual = new ArrayList<>(a.subList(Math.min(leave, a.size()), a.size()));
      residual.addAll(b);
    }
    return IntStream.concat(
            order.subList(0, first).stream().mapToInt(i -> i), residual.stream().mapToInt(i -> i))
        .sorted()
        .toArray();
  }

  private static double lowest(float value) {
    return Float.isNaN(value) ? Double.NEGATIVE_INFINITY : value;
  }
}
