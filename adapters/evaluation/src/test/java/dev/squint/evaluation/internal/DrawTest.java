package dev.squint.evaluation.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class DrawTest {

  @Property
  void isTheSameForASeedAndBeginsWithTheSmallerOne(
      @ForAll @IntRange(min = 1, max = 200) int available,
      @ForAll @IntRange(min = 1, max = 250) int limit,
      @ForAll long seed) {
    int[] all = Draw.of(available, OptionalInt.empty(), seed);
    int[] drawn = Draw.of(available, OptionalInt.of(limit), seed);
    assertThat(drawn).isEqualTo(Arrays.copyOf(all, Math.min(limit, available)));
    assertThat(all).containsExactlyInAnyOrder(IntStream.range(0, available).toArray());
  }

  @Test
  void anotherSeedDrawsOthers() {
    assertThat(Draw.of(50, OptionalInt.of(5), 1)).isNotEqualTo(Draw.of(50, OptionalInt.of(5), 2));
  }
}
