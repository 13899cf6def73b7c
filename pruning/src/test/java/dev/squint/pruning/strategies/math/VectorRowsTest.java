package dev.squint.pruning.strategies.math;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.squint.pruning.observe.Observation;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VectorRowsTest {

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 7, 16, 17, 128, 511, 512, 513, 1000, 4096, 5000})
  void sumsAtEveryWidth(int columns) {
    int rows = 5;
    float[] values = new float[rows * columns];
    SplittableRandom random = new SplittableRandom(columns);
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextDouble(-1, 1);
    }
    Observation matrix = new Observation(rows, columns, values);
    VectorRows dense = new VectorRows(matrix);
    float[] magnitudes = dense.magnitudes();
    float[][] cosines = dense.cosines(1, 5, List.of(dense.row(0), dense.row(3)));
    for (int row = 0; row < rows; row++) {
      double sum = 0;
      for (float value : matrix.row(row)) {
        sum += Math.abs(value);
      }
      assertThat(magnitudes[row]).isCloseTo((float) sum, within((float) sum * 1e-5f));
    }
    for (int row = 1; row < rows; row++) {
      assertThat(cosines[0][row - 1]).isCloseTo(cosine(matrix, row, 0), within(1e-5f));
      assertThat(cosines[1][row - 1]).isCloseTo(cosine(matrix, row, 3), within(1e-5f));
    }
  }

  @Test
  void nothingIsLikeZero() {
    VectorRows dense = new VectorRows(new Observation(2, 3, new float[] {1, 2, 3, 0, 0, 0}));
    assertThat(dense.cosines(0, 2, List.of(dense.row(1)))[0]).containsExactly(0, 0);
    assertThat(dense.cosines(1, 2, List.of(dense.row(0)))[0]).containsExactly(0);
  }

  private static float cosine(Observation matrix, int one, int other) {
    double dot = 0;
    double first = 0;
    double second = 0;
    for (int k = 0; k < matrix.columns(); k++) {
      dot += (double) matrix.at(one, k) * matrix.at(other, k);
      first += (double) matrix.at(one, k) * matrix.at(one, k);
      second += (double) matrix.at(other, k) * matrix.at(other, k);
    }
    return (float) (dot / Math.sqrt(first * second));
  }
}
