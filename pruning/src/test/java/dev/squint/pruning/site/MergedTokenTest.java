package dev.squint.pruning.site;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class MergedTokenTest {

  @Test
  void standsInForItsOriginOrComesOnTop() {
    MergedToken replacing = MergedToken.mean(2, 2, 3);
    MergedToken added = new MergedToken(1, new int[] {1, 4}, new float[] {1, 0.5f});
    Selection selection = Selection.of(new int[] {0, 2}).withMerged(List.of(added, replacing));
    assertThat(selection.added()).containsExactly(added);
    assertThat(selection.size()).isEqualTo(3);
    assertThat(selection.keeps(2)).isTrue();
    assertThat(selection.keeps(1)).isFalse();
    assertThat(selection.requireFits(5)).isSameAs(selection);
    assertThatThrownBy(() -> selection.requireFits(4))
        .hasMessage("a selection merges token 4, but only 4 visual tokens are alive");
  }

  @Test
  void meanWeighsAllAlike() {
    MergedToken mean = MergedToken.mean(0, 0, 1, 2, 3);
    assertThat(mean.weights()).containsExactly(0.25f, 0.25f, 0.25f, 0.25f);
    mean.weights()[0] = 9;
    mean.sources()[0] = 9;
    assertThat(mean)
        .isEqualTo(MergedToken.mean(0, 0, 1, 2, 3))
        .hasSameHashCodeAs(MergedToken.mean(0, 0, 1, 2, 3));
  }

  @Test
  void whatCannotBeMerged() {
    assertThatThrownBy(() -> MergedToken.mean(0))
        .hasMessage(
            "a merged token needs sources with one weight each, but has 0 sources and 0 weights");
    assertThatThrownBy(() -> MergedToken.mean(0, -1))
        .hasMessage("a merged token cannot come from a token below 0");
    assertThatThrownBy(() -> MergedToken.mean(0, 1, 1))
        .hasMessage("a merged token names a source twice; add its weights");
    assertThatThrownBy(() -> new MergedToken(0, new int[] {0}, new float[] {Float.NaN}))
        .hasMessage("a merged token has a weight of NaN");
    assertThatThrownBy(
            () ->
                Selection.of(new int[] {0})
                    .withMerged(List.of(MergedToken.mean(0, 1), MergedToken.mean(0, 2))))
        .hasMessage("two merged tokens of a selection have the same origin");
  }
}
