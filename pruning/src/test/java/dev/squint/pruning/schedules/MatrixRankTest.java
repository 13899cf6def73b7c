package dev.squint.pruning.schedules;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class MatrixRankTest {

  @Test
  void ofSmallMatrices() {
    assertThat(MatrixRank.of(new float[][] {})).isZero();
    assertThat(MatrixRank.of(new float[][] {{0, 0, 0}})).isZero();
    assertThat(MatrixRank.of(new float[][] {{0, 0.1f, 0}})).isEqualTo(1);
    assertThat(MatrixRank.of(new float[][] {{1, 2, 3}, {2, 4, 6}})).isEqualTo(1);
    assertThat(MatrixRank.of(new float[][] {{1, 2, 3}, {2, 4, 7}})).isEqualTo(2);
    assertThat(MatrixRank.of(new float[][] {{1}, {2}, {3}})).isEqualTo(1);
    assertThat(MatrixRank.of(new float[][] {{1, 0}, {0, 1}, {1, 1}})).isEqualTo(2);
    assertThat(MatrixRank.of(new float[][] {{Float.NaN, 1}, {1, 1}})).isEqualTo(2);
  }

  /** Singular values 1 and s: the second counts above 3 * 2^-23, that is 3.6e-7. */
  @Test
  void toleranceIsThatOfTorch() {
    assertThat(MatrixRank.of(new float[][] {{1, 0, 0}, {0, 4e-7f, 0}})).isEqualTo(2);
    assertThat(MatrixRank.of(new float[][] {{1, 0, 0}, {0, 3e-7f, 0}})).isEqualTo(1);
  }

  @Property
  void ofAProductOfThinMatrices(
      @ForAll @IntRange(min = 1, max = 12) int rows,
      @ForAll @IntRange(min = 1, max = 6) int inner,
      @ForAll @IntRange(min = 12, max = 60) int columns,
      @ForAll long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    double[][] left = drawn(random, rows, inner);
    double[][] right = drawn(random, inner, columns);
    float[][] product = new float[rows][columns];
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < columns; j++) {
        double sum = 0;
        for (int k = 0; k < inner; k++) {
          sum += left[i][k] * right[k][j];
        }
        product[i][j] = (float) sum;
      }
    }
    assertThat(MatrixRank.of(product)).isLessThanOrEqualTo(Math.min(rows, inner));
  }

  private static double[][] drawn(SplittableRandom random, int rows, int columns) {
    double[][] values = new double[rows][columns];
    for (double[] row : values) {
      for (int i = 0; i < columns; i++) {
        row[i] = random.nextInt(-8, 9);
      }
    }
    return values;
  }
}
