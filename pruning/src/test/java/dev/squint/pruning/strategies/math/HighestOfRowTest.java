package dev.squint.pruning.strategies.math;

import static org.assertj.core.api.Assertions.assertThat;

import dev.squint.pruning.site.Ranking;
import java.util.Arrays;
import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class HighestOfRowTest {

  private static final float[] ODD = {
    Float.NaN, Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY, 1, -1, 0, -0f, 1.0000001f, 1e30f
  };

  /** Whatever the values, they are the first of all in the order of selections. */
  @Property(tries = 300)
  void areTheFirstOfTheRanking(
      @ForAll @IntRange(min = 1, max = 400) int length,
      @ForAll @IntRange(min = 1, max = 400) int wanted,
      @ForAll @IntRange(min = 0, max = 3) int kind,
      @ForAll long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] row = new float[length];
    for (int i = 0; i < length; i++) {
      row[i] =
          switch (kind) {
            case 0 -> (float) random.nextDouble(-1, 1);
            case 1 -> (float) (0.5 + random.nextDouble() * 1e-4);
            case 2 -> random.nextInt(4) / 4f;
            default -> ODD[random.nextInt(ODD.length)];
          };
    }
    int[] numbers =
        Arrays.stream(Ranking.descending(row))
            .filter(i -> !Float.isNaN(row[i]))
            .limit(wanted)
            .toArray();
    HighestOfRow highest = new HighestOfRow(wanted, 400);
    assertThat(highest.of(row)).containsExactly(numbers);
    assertThat(highest.of(row)).as("used again").containsExactly(numbers);
  }

  @Test
  void equalsGoByIndex() {
    assertThat(new HighestOfRow(3, 5).of(new float[] {0.2f, 0.5f, 0.2f, Float.NaN, 0.2f}))
        .containsExactly(1, 0, 2);
  }
}
