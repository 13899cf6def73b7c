package dev.squint.models;

import static org.assertj.core.api.Assertions.assertThat;

import dev.squint.pruning.TokenLayout;
import dev.squint.pruning.VisualSpan;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

class TokenRowsTest {

  @Property
  void textStaysAndKeptVisualTokensStayInOrder(
      @ForAll @IntRange(min = 1, max = 9) int before,
      @ForAll @IntRange(min = 1, max = 30) int visual,
      @ForAll @IntRange(min = 0, max = 9) int after,
      @ForAll long seed) {
    int length = before + visual + after;
    TokenLayout layout =
        new TokenLayout(length, List.of(new VisualSpan(0, before, visual, 1, visual)));
    TokenRows all = TokenRows.of(layout);
    Random random = new Random(seed);
    int[] kept = IntStream.range(0, visual).filter(i -> random.nextBoolean()).toArray();
    TokenRows some = all.select(all.rowsKeeping(kept));
    assertThat(some.aliveVisual()).containsExactly(kept);
    assertThat(some.count()).isEqualTo(before + kept.length + after);
    assertThat(some.prompt()).isSorted();
    assertThat(Arrays.stream(some.visualRows()).map(row -> some.prompt()[row] - before))
        .containsExactly(boxed(kept));

    int[] again = IntStream.range(0, kept.length).filter(i -> random.nextBoolean()).toArray();
    int[] expected = Arrays.stream(again).map(i -> kept[i]).toArray();
    assertThat(some.select(some.rowsKeeping(again)).aliveVisual()).containsExactly(expected);
  }

  private static Integer[] boxed(int[] values) {
    return Arrays.stream(values).boxed().toArray(Integer[]::new);
  }
}
