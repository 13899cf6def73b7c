package dev.squint.pruning.strategies.math;

import static org.assertj.core.api.Assertions.assertThat;

import dev.squint.pruning.observe.Observation;
import java.util.Arrays;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class GreedyDppTest {

  /** Each pick must be worth the largest determinant that one more token can make. */
  @Property(tries = 200)
  void picksRaiseTheDeterminantMost(
      @ForAll @IntRange(min = 2, max = 24) int tokens,
      @ForAll @IntRange(min = 1, max = 9) int wanted,
      @ForAll long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    double[][] features = new double[tokens][12];
    double[] quality = new double[tokens];
    for (int i = 0; i < tokens; i++) {
      quality[i] = (float) random.nextDouble(0.2, 1);
      for (int k = 0; k < 12; k++) {
        features[i][k] = random.nextDouble(-1, 1);
      }
    }
    double[][] cosines = cosines(features);
    int count = Math.min(wanted, tokens - 1);
    int[] picks = new GreedyDpp(quality, 0, 1, 0).pick(observation(cosines, 0), 0, 0, count);
    assertThat(picks).hasSize(count).doesNotHaveDuplicates();
    for (int step = 0; step < count; step++) {
      int[] set = Arrays.copyOf(picks, step + 1);
      double made = determinant(cosines, quality, set);
      for (int other = 0; other < tokens; other++) {
        set[step] = other;
        assertThat(determinant(cosines, quality, set)).isLessThanOrEqualTo(made * 1.0001);
      }
    }
  }

  /**
   * However small a token's relevance makes its gain, it counts until its own direction is
   * explained: here down to nearly all of the tokens, with qualities over four powers of ten.
   */
  @Property(tries = 200)
  void smallQualitiesAreChosenByTheDeterminantToo(
      @ForAll @IntRange(min = 4, max = 16) int tokens, @ForAll long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    double[][] features = new double[tokens][32];
    double[] quality = new double[tokens];
    for (int i = 0; i < tokens; i++) {
      quality[i] = (float) Math.pow(10, random.nextDouble(-4, 0));
      for (int k = 0; k < 32; k++) {
        features[i][k] = random.nextDouble(-1, 1);
      }
    }
    double[][] cosines = rounded(cosines(features));
    int[] picks = new GreedyDpp(quality, 0, 1, 0).pick(observation(cosines, 0), 0, 0, tokens - 1);
    assertThat(picks).doesNotHaveDuplicates();
    double before = 1;
    double last = Double.POSITIVE_INFINITY;
    for (int step = 0; step < picks.length; step++) {
      int[] set = Arrays.copyOf(picks, step + 1);
      double made = determinant(cosines, quality, set);
      Set<Integer> others = new TreeSet<>(IntStream.range(0, tokens).boxed().toList());
      Arrays.stream(picks, 0, step + 1).forEach(others::remove);
      for (int other : others) {
        set[step] = other;
        assertThat(determinant(cosines, quality, set)).isLessThanOrEqualTo(made * (1 + 1e-9));
      }
      assertThat(made / before).as("gains never rise").isLessThanOrEqualTo(last * (1 + 1e-9));
      last = made / before;
      before = made;
    }
  }

  /** By blocks of tokens or all at once: the picks are those of gains that are all up to date. */
  @Property(tries = 30)
  void blocksPickWhatUpToDateGainsPick(
      @ForAll @IntRange(min = 2, max = 300) int tokens, @ForAll long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    double[][] features = new double[tokens][320];
    double[] quality = new double[tokens];
    for (int i = 0; i < tokens; i++) {
      quality[i] = (float) Math.pow(10, random.nextDouble(-2, 0));
      for (int k = 0; k < 320; k++) {
        features[i][k] = random.nextDouble(-1, 1) + (k == i % 7 ? 9 : 0);
      }
    }
    double[][] cosines = rounded(cosines(features));
    int count = random.nextInt(tokens);
    assertThat(new GreedyDpp(quality, 0, 1, 0).pick(observation(cosines, 0), 0, 0, count))
        .containsExactly(upToDate(cosines, quality, count));
  }

  /**
   * Token 1 repeats token 0; token 2 says something of its own, though at a relevance of 2e-4, by
   * which its gain of 4e-8 is far below a millionth of the first pick's 1. Worked out by hand:
   * after 0 the gains are 0.81 - 0.81 = 0 and 4e-8 - 0.
   */
  @Test
  void whatIsHardlyRelevantComesBeforeARepetition() {
    double[][] plane = {{1, 0}, {1, 0}, {0, 1}};
    double[] quality = {1, 0.9f, 2e-4f};
    assertThat(new GreedyDpp(quality, 0, 1, 0).pick(observation(cosines(plane), 0), 0, 0, 2))
        .containsExactly(0, 2);
  }

  @Test
  void whatIsNotANumberComesLast() {
    double[][] cosines = {{1, 0, Double.NaN}, {0, 1, 0}, {Double.NaN, 0, Double.NaN}};
    assertThat(
            new GreedyDpp(new double[] {0.5f, 0.4f, 1}, 0, 1, 0)
                .pick(observation(cosines, 0), 0, 0, 2))
        .containsExactly(0, 1);
    assertThat(
            new GreedyDpp(new double[] {Float.NaN, Float.NaN, Float.NaN}, 0, 1, 0)
                .pick(observation(cosines, 0), 0, 0, 2))
        .containsExactly(0, 1);
  }

  /** The search without blocks and bounds, every gain kept up to date. */
  private static int[] upToDate(double[][] cosines, double[] quality, int count) {
    int tokens = quality.length;
    double[] gains = new double[tokens];
    for (int i = 0; i < tokens; i++) {
      gains[i] = quality[i] * cosines[i][i] * quality[i];
    }
    double[][] factor = new double[count][tokens];
    int[] picks = new int[count];
    for (int step = 0; step < count; step++) {
      int pick = 0;
      for (int i = 1; i < tokens; i++) {
        pick = gains[i] > gains[pick] ? i : pick;
      }
      picks[step] = pick;
      double root = Math.sqrt(gains[pick]);
      for (int i = 0; i < tokens; i++) {
        double left = cosines[pick][i] * quality[pick] * quality[i];
        for (int row = 0; row < step; row++) {
          left -= factor[row][pick] * factor[row][i];
        }
        factor[step][i] = left / root;
        gains[i] -= factor[step][i] * factor[step][i];
      }
      gains[pick] = Double.NEGATIVE_INFINITY;
    }
    return picks;
  }

  /** To what an observation holds. */
  private static double[][] rounded(double[][] values) {
    return Arrays.stream(values)
        .map(row -> Arrays.stream(row).map(value -> (float) value).toArray())
        .toArray(double[][]::new);
  }

  /** Three directions in a plane: two picks explain the third. */
  @Test
  void whatIsExplainedGoesByQuality() {
    double[][] plane = {{1, 0}, {0.6, 0.8}, {0, 1}, {0.8, 0.6}};
    double[] quality = {1, 0.3f, 0.9f, 0.4f};
    assertThat(new GreedyDpp(quality, 0, 1, 0).pick(observation(cosines(plane), 0), 0, 0, 3))
        .containsExactly(0, 2, 3);
  }

  @Test
  void aBlockOfTheSimilarityIsRead() {
    double[][] plane = {{1, 0}, {0.6, 0.8}, {0, 1}};
    double[] quality = {1, 1};
    Observation padded = observation(cosines(plane), 2);
    assertThat(new GreedyDpp(quality, 1, 0, 0).pick(padded, 1, 1, 1)).containsExactly(0);
    assertThat(new GreedyDpp(quality, 0, 1, 0).pick(padded, 1, 1, 2)).containsExactly(0, 1);
    assertThat(new GreedyDpp(new double[] {0.5f, 1}, 0, 1, 0).pick(padded, 1, 1, 1))
        .containsExactly(1);
  }

  private static double determinant(double[][] cosines, double[] quality, int[] set) {
    int size = set.length;
    double[][] matrix = new double[size][size];
    for (int i = 0; i < size; i++) {
      for (int j = 0; j < size; j++) {
        matrix[i][j] = quality[set[i]] * cosines[set[i]][set[j]] * quality[set[j]];
      }
    }
    double product = 1;
    for (int i = 0; i < size; i++) {
      product *= matrix[i][i];
      for (int j = i + 1; j < size && matrix[i][i] != 0; j++) {
        double times = matrix[j][i] / matrix[i][i];
        for (int k = i; k < size; k++) {
          matrix[j][k] -= times * matrix[i][k];
        }
      }
    }
    return product;
  }

  private static double[][] cosines(double[][] features) {
    int tokens = features.length;
    double[][] cosines = new double[tokens][tokens];
    for (int i = 0; i < tokens; i++) {
      for (int j = 0; j < tokens; j++) {
        cosines[i][j] =
            dot(features[i], features[j])
                / Math.sqrt(dot(features[i], features[i]) * dot(features[j], features[j]));
      }
    }
    return cosines;
  }

  private static double dot(double[] one, double[] other) {
    double sum = 0;
    for (int k = 0; k < one.length; k++) {
      sum += one[k] * other[k];
    }
    return sum;
  }

  private static Observation observation(double[][] cosines, int padding) {
    int tokens = cosines.length;
    float[] values = new float[tokens * (tokens + padding)];
    for (int i = 0; i < tokens; i++) {
      for (int j = 0; j < tokens; j++) {
        values[i * (tokens + padding) + j] = (float) cosines[i][j];
      }
    }
    return new Observation(tokens, tokens + padding, values);
  }
}
