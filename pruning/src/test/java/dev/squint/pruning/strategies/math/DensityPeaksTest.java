package dev.squint.pruning.strategies.math;

import static org.assertj.core.api.Assertions.assertThat;

import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.strategies.math.DensityPeaks.Join;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class DensityPeaksTest {

  /** On a line: 0, 1, 2 close together, 10 and 11, all in one of two numbers. */
  private static final Observation LINE =
      new Observation(5, 2, new float[] {0, 0, 1, 0, 2, 0, 10, 0, 11, 0});

  /**
   * With k = 2 the mean squares of the distances (over the root of 2) are 1/4 for every token, so
   * densities are equal and the lower index is denser. Separations: the first has the largest
   * distance of all, 11; then 1, 1, 8 and 1, over the root of 2. Centres: 0, then 10.
   */
  @Test
  void centresAreFarFromDenserTokens() {
    DensityPeaks peaks = DensityPeaks.of(LINE, new int[] {0, 1, 2, 3, 4}, 2, Join.DISTANCE);
    assertThat(peaks.centres()).containsExactly(0, 3);
    assertThat(peaks.nearest()).containsExactly(0, 0, 0, 1, 1);
    assertThat(peaks.members(1)).containsExactly(3, 4);
  }

  @Test
  void tokensAreCountedInTheirOwnOrder() {
    DensityPeaks peaks = DensityPeaks.of(LINE, new int[] {4, 0, 1}, 2, Join.DISTANCE);
    assertThat(peaks.centres()).containsExactly(1, 2);
    assertThat(peaks.nearest()).containsExactly(1, 0, 1);
  }

  /** Two pairs; (0, 1) is nearer to the one at (1, 0) and points like the one at (0, 3). */
  @Test
  void joiningByCosineGoesByDirection() {
    Observation rows = new Observation(5, 2, new float[] {1, 0, 1.1f, 0, 0, 1, 0, 3, 0, 3.1f});
    int[] tokens = {0, 1, 2, 3, 4};
    DensityPeaks peaks = DensityPeaks.of(rows, tokens, 2, Join.DISTANCE);
    int right = peaks.centres()[0] < 2 ? 0 : 1;
    assertThat(peaks.centres()[1 - right]).isGreaterThan(2);
    assertThat(peaks.nearest()[2]).isEqualTo(right);
    DensityPeaks joined = DensityPeaks.of(rows, tokens, 2, Join.COSINE);
    assertThat(joined.centres()).isEqualTo(peaks.centres());
    assertThat(joined.nearest()[2]).isEqualTo(1 - right);
  }

  @Property
  void everyTokenIsInOneCluster(
      @ForAll @IntRange(min = 1, max = 40) int count,
      @ForAll @IntRange(min = 1, max = 12) int clusters,
      @ForAll long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] values = new float[count * 3];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextDouble();
    }
    int[] tokens = IntStream.range(0, count).toArray();
    int centres = Math.min(count, clusters);
    DensityPeaks peaks =
        DensityPeaks.of(new Observation(count, 3, values), tokens, centres, Join.DISTANCE);
    assertThat(Arrays.stream(peaks.centres()).distinct().count()).isEqualTo(centres);
    int members = 0;
    for (int cluster = 0; cluster < centres; cluster++) {
      assertThat(peaks.members(cluster)).contains(peaks.centres()[cluster]);
      members += peaks.members(cluster).length;
    }
    assertThat(members).isEqualTo(count);
  }
}
