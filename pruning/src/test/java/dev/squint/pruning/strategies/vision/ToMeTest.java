package dev.squint.pruning.strategies.vision;

import static org.assertj.core.api.Assertions.assertThat;
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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class ToMeTest {

  private static final Expression KEYS = Observe.keySimilarity(22, Heads.AVERAGED);

  private static Selection select(Strategy strategy, double[][] keys) {
    return Models.select(strategy, Map.of(KEYS, cosines(keys)), new int[] {1, keys.length});
  }

  private static Observation cosines(double[][] keys) {
    int n = keys.length;
    float[] cosines = new float[n * n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        cosines[i * n + j] = (float) cosine(keys[i], keys[j]);
      }
    }
    return new Observation(n, n, cosines);
  }

  private static double cosine(double[] a, double[] b) {
    return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  private static double[][] angles(double... degrees) {
    return Arrays.stream(degrees)
        .mapToObj(
            degree ->
                new double[] {Math.cos(Math.toRadians(degree)), Math.sin(Math.toRadians(degree))})
        .toArray(double[][]::new);
  }

  @Test
  void readsMeanKeysOfTheLastLayer() {
    SitePlan plan = Models.onlySite(new ToMe(0.5));
    assertThat(plan.site()).isEqualTo(new Site.AfterVision());
    assertThat(plan.needs()).containsExactly(KEYS);
    assertThat(plan.merges()).isTrue();
    assertThat(Models.onlySite(Strategies.parse("tome:merge=before")).site())
        .isEqualTo(new Site.BeforeProjector());
  }

  /**
   * 0 2 4 may move, 1 3 5 not. 0 (0 degrees) is nearest to 1 (10), 2 (12) to 1 too, 4 (80) to 5
   * (85). The edges by similarity: 2-1, 4-5, 0-1.
   */
  @Test
  void oneRoundByHand() {
    double[][] keys = angles(0, 10, 12, 50, 80, 85);
    Selection two = select(Strategies.parse("tome:rounds=1,tokens=4"), keys);
    assertThat(two.keptVisual()).containsExactly(0, 1, 3, 5);
    assertThat(two.merged())
        .containsExactlyInAnyOrder(MergedToken.mean(1, 1, 2), MergedToken.mean(5, 5, 4));
    Selection three = select(Strategies.parse("tome:rounds=1,tokens=3"), keys);
    assertThat(three.keptVisual()).containsExactly(1, 3, 5);
    assertThat(three.merged())
        .containsExactlyInAnyOrder(MergedToken.mean(1, 1, 0, 2), MergedToken.mean(5, 5, 4));
  }

  /**
   * After 2 has joined 1 and 4 has joined 5 the order is 0 (12), 1+2, 3, 5+4: then 0 and 3 may
   * move. With 0 joining 1+2 the mean is of three tokens alike with sizes, without them 0 weighs as
   * much as the other two.
   */
  @Test
  void sizesWeighTheMean() {
    double[][] keys = angles(12.5, 10, 11, 50, 80, 80.5);
    assertThat(select(Strategies.parse("tome:rounds=2,tokens=3"), keys).merged())
        .contains(MergedToken.mean(1, 1, 2, 0));
    assertThat(select(Strategies.parse("tome:rounds=2,tokens=3,sizes=off"), keys).merged())
        .contains(new MergedToken(1, new int[] {1, 2, 0}, new float[] {0.25f, 0.25f, 0.5f}));
  }

  @Test
  void everythingMeetsInOneToken() {
    Selection selection = select(Strategies.parse("tome:rounds=1,tokens=1"), angles(0, 1, 2, 3, 4));
    assertThat(selection.size()).isEqualTo(1);
    assertThat(selection.merged().get(0).sources()).containsExactlyInAnyOrder(0, 1, 2, 3, 4);
    assertThat(selection.merged().get(0).weights()).containsOnly(0.2f);
  }

  /** What the Gram matrix gives is what means of unit keys give. */
  @Property(tries = 100)
  void isBipartiteMatchingOnMeansOfKeys(
      @ForAll @IntRange(min = 1, max = 60) int n,
      @ForAll @IntRange(min = 1, max = 60) int tokens,
      @ForAll @IntRange(min = 1, max = 10) int rounds,
      @ForAll boolean sizes,
      @ForAll long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    double[][] keys = new double[n][];
    for (int i = 0; i < n; i++) {
      double[] key = random.doubles(6, -1, 1).toArray();
      double length = Math.sqrt(dot(key, key));
      keys[i] = Arrays.stream(key).map(x -> x / length).toArray();
    }
    String spec =
        "tome:rounds=%d,tokens=%d,sizes=%s".formatted(rounds, tokens, sizes ? "on" : "off");
    Selection selection = select(Strategies.parse(spec), keys);
    assertThat(selection.size()).isEqualTo(Math.min(n, tokens));
    List<Token> expected = slowly(keys, Math.min(n, tokens), rounds, sizes);
    assertThat(selection.keptVisual())
        .containsExactly(expected.stream().mapToInt(Token::origin).sorted().toArray());
    for (MergedToken merged : selection.merged()) {
      Token token =
          expected.stream().filter(one -> one.origin == merged.origin()).findFirst().orElseThrow();
      double[] weights = new double[n];
      for (int i = 0; i < merged.sources().length; i++) {
        weights[merged.sources()[i]] = merged.weights()[i];
      }
      assertThat(weights).containsExactly(token.weights, within(1e-5));
      assertThat(Arrays.stream(weights).sum()).isCloseTo(1, within(1e-4));
    }
  }

  private record Token(int origin, int size, double[] weights, double[] key) {

    private static Token mean(List<Token> parts, boolean sizes) {
      double[] weights = new double[parts.get(0).weights.length];
      double[] key = new double[parts.get(0).key.length];
      int size = parts.stream().mapToInt(Token::size).sum();
      for (Token part : parts) {
        double share = sizes ? (double) part.size / size : 1.0 / parts.size();
        for (int i = 0; i < weights.length; i++) {
          weights[i] += share * part.weights[i];
        }
        for (int i = 0; i < key.length; i++) {
          key[i] += share * part.key[i];
        }
      }
      return new Token(parts.get(0).origin, size, weights, key);
    }
  }

  private static List<Token> slowly(double[][] keys, int wanted, int rounds, boolean sizes) {
    List<Token> tokens = new ArrayList<>();
    for (int i = 0; i < keys.length; i++) {
      double[] weights = new double[keys.length];
      weights[i] = 1;
      tokens.add(new Token(i, 1, weights, keys[i]));
    }
    for (int left = rounds; tokens.size() > wanted; left = Math.max(1, left - 1)) {
      int share = (int) Math.ceil((tokens.size() - wanted) / (double) left);
      List<Token> a = every(tokens, 0);
      List<Token> b = every(tokens, 1);
      List<int[]> edges = new ArrayList<>();
      for (int i = 0; i < a.size(); i++) {
        Token from = a.get(i);
        int to =
            IntStream.range(0, b.size())
                .boxed()
                .max(Comparator.comparingDouble(j -> cosine(from.key, b.get(j).key)))
                .orElseThrow();
        edges.add(new int[] {i, to});
      }
      edges.sort(
          Comparator.comparingDouble(edge -> -cosine(a.get(edge[0]).key, b.get(edge[1]).key)));
      edges = edges.subList(0, Math.min(share, tokens.size() / 2));
      List<Token> next = new ArrayList<>();
      for (int i = 0; i < a.size(); i++) {
        int place = i;
        if (edges.stream().noneMatch(edge -> edge[0] == place)) {
          next.add(a.get(i));
        }
      }
      for (int j = 0; j < b.size(); j++) {
        int place = j;
        List<Token> parts = new ArrayList<>(List.of(b.get(j)));
        edges.stream().filter(edge -> edge[1] == place).forEach(edge -> parts.add(a.get(edge[0])));
        next.add(parts.size() == 1 ? b.get(j) : Token.mean(parts, sizes));
      }
      tokens = next;
    }
    return tokens;
  }

  private static List<Token> every(List<Token> tokens, int from) {
    return IntStream.range(0, tokens.size())
        .filter(i -> i % 2 == from)
        .mapToObj(tokens::get)
        .toList();
  }
}
