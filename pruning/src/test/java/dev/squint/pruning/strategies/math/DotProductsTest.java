package dev.squint.pruning.strategies.math;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.squint.pruning.observe.Observation;
import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class DotProductsTest {

  @Test
  void ofSomeRowsInTheOrderAskedFor() {
    Observation rows = new Observation(3, 2, new float[] {1, 2, 0, 5, 3, -1});
    assertThat(DotProducts.of(rows, new int[] {2, 0}))
        .isDeepEqualTo(new float[][] {{10, 1}, {1, 5}});
    assertThat(DotProducts.of(rows, new int[0])).isEmpty();
  }

  @Property(tries = 50)
  void agreeWithSumsInDoublePrecision(
      @ForAll @IntRange(min = 1, max = 40) int count,
      @ForAll @IntRange(min = 1, max = 200) int columns,
      @ForAll long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] values = new float[count * columns];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextDouble(-1, 1);
    }
    Observation rows = new Observation(count, columns, values);
    int[] tokens = random.ints(count, 0, count).toArray();
    float[][] products = DotProducts.of(rows, tokens);
    for (int i = 0; i < count; i++) {
      for (int j = 0; j < count; j++) {
        double sum = 0;
        for (int k = 0; k < columns; k++) {
          sum += (double) rows.at(tokens[i], k) * rows.at(tokens[j], k);
        }
        assertThat(products[i][j]).isCloseTo((float) sum, within(1e-4f));
        assertThat(products[i][j]).isEqualTo(products[j][i]);
        assertThat(tokens[i] == tokens[j] ? products[i][i] : products[i][j])
            .isEqualTo(products[i][j]);
      }
    }
  }
}
