package dev.squint.family.idefics3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.error.ModelException;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TileSizesTest {

  private static final OptionalLong ANY = OptionalLong.empty();

  private static TileSizes hub(int edge, int tile) {
    return new TileSizes(new TileSizes.LongestEdge(edge), true, tile);
  }

  /** Counts of transformers 5.18 with the settings of SmolVLM-256M, -500M and -2.2B. */
  @ParameterizedTest
  @CsvSource({
    "427, 640, 13, 832, 1053",
    "900, 1200, 13, 832, 1053",
    "1200, 900, 13, 832, 1053",
    "224, 224, 17, 1088, 1377",
    "100, 1000, 5, 320, 405",
    "3000, 4000, 13, 832, 1053",
  })
  void anImageIsAsManyTokensAsInTransformers(int high, int wide, int tiles, int of64, int of81) {
    Tiling small = hub(2048, 512).of(wide, high);
    assertThat(small.tiles()).isEqualTo(tiles);
    assertThat(small.tiles() * 64).isEqualTo(of64);
    assertThat(hub(1536, 384).of(wide, high).tiles() * 81).isEqualTo(of81);
  }

  @Test
  void sidesAreCutOffMadeEvenAndRoundedUpToTiles() {
    assertThat(new TileSizes.LongestEdge(2048).of(640, 427))
        .isEqualTo(new TileSizes.Size(2048, 1366));
    assertThat(new TileSizes.LongestEdge(2048).of(7, 5000)).isEqualTo(new TileSizes.Size(2, 2048));
    assertThat(new TileSizes.LongestEdge(5000).of(100, 50))
        .isEqualTo(new TileSizes.Size(4096, 2048));
    assertThat(hub(40, 16).of(63, 21)).isEqualTo(new Tiling(48, 16, 1, 3));
    assertThat(hub(512, 512).of(3000, 4000)).isEqualTo(new Tiling(512, 512, 0, 0));
    assertThat(new TileSizes(new TileSizes.Unchanged(), true, 16).of(37, 29))
        .isEqualTo(new Tiling(48, 48, 3, 3));
  }

  @Test
  void aLimitOfPixelsTakesTilesAwayUntilOneIsLeft() {
    TileSizes sizes = hub(2048, 512);
    long tile = 512 * 512;
    assertThat(sizes.within(400, 300, ANY, OptionalLong.of(12 * tile))).isEqualTo(sizes);
    assertThat(sizes.within(400, 300, ANY, OptionalLong.of(12 * tile - 1)).of(400, 300))
        .isEqualTo(new Tiling(1536, 1536, 3, 3));
    assertThat(sizes.within(400, 300, ANY, OptionalLong.of(tile)).of(400, 300).tiles()).isOne();
    assertThatThrownBy(() -> sizes.within(400, 300, ANY, OptionalLong.of(tile - 1)))
        .isInstanceOf(ModelException.class)
        .hasMessage(
            "the model sees an image of 400x300 in 262,144 pixels at least, more than the 262,143 allowed; allow more");
    assertThatThrownBy(() -> sizes.within(400, 300, OptionalLong.of(12 * tile + 1), ANY))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("fewer than the 3,145,729 asked for");
  }
}
