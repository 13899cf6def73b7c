package dev.squint.pruning.site;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class TopKTest {

  @Test
  void higherScoresWinAndComeOutInOrder() {
    assertThat(TopK.indices(new float[] {0.1f, 0.4f, 0.2f, 0.3f}, 2)).containsExactly(1, 3);
  }

  @Test
  void lowerIndexWinsAmongEquals() {
    assertThat(TopK.indices(new float[] {1, 2, 1, 2, 1}, 3)).containsExactly(0, 1, 3);
    assertThat(TopK.indices(new float[] {0.0f, -0.0f, 0.0f}, 2)).containsExactly(0, 1);
    assertThat(TopK.indices(new float[] {-0.0f, 0.0f, -0.0f}, 1)).containsExactly(0);
  }

  @Test
  void nanIsLowest() {
    float[] scores = {Float.NaN, Float.NEGATIVE_INFINITY, -1, Float.NaN};
    assertThat(TopK.indices(scores, 2)).containsExactly(1, 2);
    assertThat(TopK.indices(scores, 3)).containsExactly(0, 1, 2);
  }

  @Test
  void countOutsideTheTokensIsRefused() {
    assertThatThrownBy(() -> TopK.indices(new float[2], 3)).hasMessage("cannot keep 3 of 2 tokens");
    assertThatThrownBy(() -> TopK.indices(new float[2], -1))
        .hasMessage("cannot keep -1 of 2 tokens");
  }

  @Property
  void agreesWithASort(@ForAll("scores") float[] scores, @ForAll @IntRange(max = 1000) int share) {
    int count = scores.length * share / 1000;
    assertThat(TopK.indices(scores, count)).isEqualTo(sorted(scores, count));
  }

  @Test
  void survivesShapesThatAreHardForQuickselect() {
    int n = 100_000;
    float[] organPipe = new float[n];
    float[] saw = new float[n];
    float[] constant = new float[n];
    for (int i = 0; i < n; i++) {
      organPipe[i] = Math.min(i, n - i);
      saw[i] = i % 17;
    }
    for (float[] scores : new float[][] {organPipe, saw, constant}) {
      for (int count : new int[] {1, n / 3, n - 1, n}) {
        assertThat(TopK.indices(scores, count)).isEqualTo(sorted(scores, count));
      }
    }
  }

  @Provide
  Arbitrary<float[]> scores() {
    Arbitrary<Float> few = Arbitraries.of(0f, -0f, 1f, -1f, 0.5f, Float.NaN, Float.MIN_VALUE);
    Arbitrary<Float> any = Arbitraries.floats();
    return Arbitraries.oneOf(few.array(float[].class), any.array(float[].class).ofMaxSize(700));
  }

  private static int[] sorted(float[] scores, int count) {
    Comparator<Integer> ranking =
        (a, b) -> {
          boolean nanA = Float.isNaN(scores[a]);
          boolean nanB = Float.isNaN(scores[b]);
          if (nanA || nanB) {
            return Boolean.compare(nanA, nanB);
          }
          return scores[a] == scores[b] ? 0 : scores[a] > scores[b] ? -1 : 1;
        };
    int[] kept =
        IntStream.range(0, scores.length)
            .boxed()
            .sorted(ranking.thenComparing(Comparator.naturalOrder()))
            .mapToInt(Integer::intValue)
            .limit(count)
            .toArray();
    Arrays.sort(kept);
    return kept;
  }
}
