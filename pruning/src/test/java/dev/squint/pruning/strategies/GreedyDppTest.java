package dev.squint.pruning.strategies;

import static org.assertj.core.api.Assertions.assertThat;

import dev.squint.pruning.Observation;
import java.util.Arrays;
import java.util.SplittableRandom;
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
    float[] quality = new float[tokens];
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

  /** Three directions in a plane: two picks explain the third. */
  @Test
  void whatIsExplainedGoesByQuality() {
    double[][] plane = {{1, 0}, {0.6, 0.8}, {0, 1}, {0.8, 0.6}};
    float[] quality = {1, 0.3f, 0.9f, 0.4f};
    assertThat(new GreedyDpp(quality, 0, 1, 0).pick(observation(cosines(plane), 0), 0, 0, 3))
        .containsExactly(0, 2, 3);
  }

  @Test
  void aBlockOfTheSimilarityIsRead() {
    double[][] plane = {{1, 0}, {0.6, 0.8}, {0, 1}};
    float[] quality = {1, 1};
    Observation padded = observation(cosines(plane), 2);
    assertThat(new GreedyDpp(quality, 1, 0, 0).pick(padded, 1, 1, 1)).containsExactly(0);
    assertThat(new GreedyDpp(quality, 0, 1, 0).pick(padded, 1, 1, 2)).containsExactly(0, 1);
    assertThat(new GreedyDpp(new float[] {0.5f, 1}, 0, 1, 0).pick(padded, 1, 1, 1))
        .containsExactly(1);
  }

  private static double determinant(double[][] cosines, float[] quality, int[] set) {
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
