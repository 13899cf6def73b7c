package dev.squint.family.anyres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.squint.engine.request.FeaturePacking;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tokens of images of any size; whole answers are compared in {@link AnyResFamilyTest}. */
class TileMapTest {

  private static final int TILE = 384;
  private static final int SIDE = 27;

  /** Those of LLaVA-OneVision. */
  private static List<Resolution> resolutions() {
    List<Resolution> all = new ArrayList<>();
    for (int rows = 1; rows <= 6; rows++) {
      for (int columns = 1; columns <= 6; columns++) {
        all.add(new Resolution(rows * TILE, columns * TILE));
      }
    }
    return all;
  }

  /** Counted by transformers 5.18 with the settings of the published models. */
  @ParameterizedTest
  @CsvSource({
    "427, 640, 5, 2709",
    "900, 1200, 13, 7309",
    "1200, 900, 13, 7332",
    "224, 224, 2, 1485",
    "100, 1000, 4, 1467",
    "3000, 4000, 31, 7309"
  })
  void tokensAreThoseOfTransformers(int height, int width, int tiles, int tokens) {
    Resolution best = Resolution.best(resolutions(), width, height);
    int rows = best.height() / TILE;
    int columns = best.width() / TILE;
    assertThat(1 + rows * columns).isEqualTo(tiles);
    TileMap map = TileMap.of(width, height, rows, columns, SIDE, OptionalInt.of(9));
    assertThat(map.wholeTokens() + map.mapTokens()).isEqualTo(tokens);
    assertThat(map.packing(new float[8]).tokens()).isEqualTo(tokens);
  }

  /** Two tiles of 2 x 2 side by side, no margin: rows go through both, each with a newline. */
  @Test
  void rowsGoThroughAllTiles() {
    FeaturePacking packing = TileMap.of(2, 1, 1, 2, 2, OptionalInt.empty()).packing(new float[1]);
    assertThat(packing.sources())
        .containsExactly(0, 1, 2, 3, /* map */ 4, 5, 8, 9, 12, 6, 7, 10, 11, 12);
    assertThat(packing.weights()).isEmpty();
  }

  /** A strip in a tile of 4 x 4 of which the middle row pair shows it. */
  @Test
  void marginsAreLeftOut() {
    TileMap map = TileMap.of(40, 20, 1, 1, 4, OptionalInt.empty());
    assertThat(map.packing(new float[1]).sources())
        .startsWith(IntStream.range(0, 16).toArray())
        .endsWith(20, 21, 22, 23, 32, 24, 25, 26, 27, 32);
  }

  @Test
  void theWholeImageAloneHasOneNewline() {
    assertThat(TileMap.whole(2).packing(new float[1]).sources()).containsExactly(0, 1, 2, 3, 4);
  }

  /** 4 x 4 places become 2 x 2: each is the mean of four. */
  @Test
  void aLargeMapIsShrunk() {
    TileMap map = TileMap.of(8, 8, 2, 2, 2, OptionalInt.of(1));
    FeaturePacking packing = map.packing(new float[1]);
    assertThat(map.mapTokens()).isEqualTo(6);
    assertThat(packing.terms()).isEqualTo(4);
    // Token 4 is the first of the map, made of all four places of the first tile after the whole.
    assertThat(IntStream.range(0, 4).map(term -> packing.sources()[term * 10 + 4]))
        .containsExactly(4, 5, 6, 7);
    assertThat(IntStream.range(0, 4).mapToObj(term -> packing.weights()[term * 10 + 4]))
        .containsOnly(0.25f);
    assertThat(packing.sources()[6]).isEqualTo(20);
    assertThat(packing.weights()[6]).isEqualTo(1);
    assertThat(packing.weights()[16]).isZero();
  }
}
