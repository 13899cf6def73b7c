package dev.squint.family.anyres;

import dev.squint.engine.request.FeaturePacking;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Arrays;
import java.util.OptionalInt;

/**
 * Which features of an image's tiles become its visual tokens. The first tile is the whole image;
 * the others lie side by side as one map, of which the margin is left out. A large map is shrunk.
 *
 * @param side tokens a side of a tile
 * @param tileRows rows of tiles
 * @param tileColumns tiles in a row
 * @param top first row of the map that shows the image
 * @param left first column of the map that does
 * @param rowsShown rows that do
 * @param columnsShown columns that do
 * @param rows rows once it is shrunk
 * @param columns columns once it is shrunk
 */
record TileMap(
    int side,
    int tileRows,
    int tileColumns,
    int top,
    int left,
    int rowsShown,
    int columnsShown,
    int rows,
    int columns) {

  private static final int DIGITS = 7;
  private static final double SHRUNK_FROM = 1.1;
  private static final int CORNERS = 4;

  /**
   * The map of an image.
   *
   * @param width the image's pixels a row
   * @param height its rows
   * @param tileRows rows of tiles, 0 if only the whole image is seen
   * @param tileColumns tiles in a row
   * @param side tokens a side of a tile
   * @param mostTiles a map of more than about so many tiles is shrunk to these; empty for never
   */
  static TileMap of(
      int width, int height, int tileRows, int tileColumns, int side, OptionalInt mostTiles) {
    int all = tileRows * side;
    int across = tileColumns * side;
    int top = 0;
    int left = 0;
    if ((double) width / height > (double) across / all) {
      top = margin(all, height * ((double) across / width));
    } else {
      left = margin(across, width * ((double) all / height));
    }
    int rowsShown = all - 2 * top;
    int columnsShown = across - 2 * left;
    int rows = rowsShown;
    int columns = columnsShown;
    if (mostTiles.isPresent()) {
      double most = (double) mostTiles.getAsInt() * side * side;
      double ratio = Math.sqrt((double) rowsShown * columnsShown / most);
      if (ratio > SHRUNK_FROM) {
        rows = floorDiv(rowsShown, ratio);
        columns = floorDiv(columnsShown, ratio);
      }
    }
    return new TileMap(
        side, tileRows, tileColumns, top, left, rowsShown, columnsShown, rows, columns);
  }

  /** That of an image of which only the whole is seen, with one newline after it. */
  static TileMap whole(int side) {
    return new TileMap(side, 0, 0, 0, 0, 1, 0, 1, 0);
  }

  private static int margin(int all, double shown) {
    int rounded = new BigDecimal(shown).setScale(DIGITS, RoundingMode.HALF_EVEN).intValue();
    return Math.floorDiv(all - rounded, 2);
  }

  /** How often a number goes into another, as Python finds it. */
  private static int floorDiv(int dividend, double divisor) {
    double quotient = (dividend - dividend % divisor) / divisor;
    double floor = Math.floor(quotient);
    return (int) (quotient - floor > 0.5 ? floor + 1 : floor);
  }

  /** Visual tokens of the whole image as one tile. */
  int wholeTokens() {
    return side * side;
  }

  /** Visual tokens of the map, a newline after each of its rows. */
  int mapTokens() {
    return rows * (columns + 1);
  }

  private boolean isShrunk() {
    return rows != rowsShown || columns != columnsShown;
  }

  /**
   * How features become visual tokens.
   *
   * @param newline what comes after each row of the map
   */
  FeaturePacking packing(float[] newline) {
    int terms = isShrunk() ? CORNERS : 1;
    int tokens = wholeTokens() + mapTokens();
    int[] sources = new int[terms * tokens];
    float[] weights = new float[terms == 1 ? 0 : sources.length];
    if (terms > 1) {
      Arrays.fill(weights, 0, tokens, 1);
    }
    int after = (1 + tileRows * tileColumns) * wholeTokens();
    int token = 0;
    for (; token < wholeTokens(); token++) {
      sources[token] = token;
    }
    for (int row = 0; row < rows; row++, token++) {
      Between down = Between.of(row, rowsShown, rows);
      for (int column = 0; column < columns; column++, token++) {
        Between across = Between.of(column, columnsShown, columns);
        for (int term = 0; term < terms; term++) {
          boolean lower = term >= 2;
          boolean right = term % 2 == 1;
          int at = term * tokens + token;
          sources[at] = row(lower ? down.next : down.first, right ? across.next : across.first);
          if (terms > 1) {
            weights[at] = down.share(lower) * across.share(right);
          }
        }
      }
      sources[token] = after;
    }
    return new FeaturePacking(tokens, sources, weights, newline);
  }

  /** Where in the features a place of the map is. */
  private int row(int rowShown, int columnShown) {
    int row = top + rowShown;
    int column = left + columnShown;
    int tile = 1 + row / side * tileColumns + column / side;
    return (tile * side + row % side) * side + column % side;
  }

  /**
   * Between which places a place of a shrunk map lies; computed in floats as PyTorch does.
   *
   * @param first the one before it
   * @param next the one after it
   * @param share how near the next is, from 0 to 1
   */
  private record Between(int first, int next, float share) {

    static Between of(int place, int shown, int kept) {
      float at = Math.max(0, (float) shown / kept * (place + 0.5f) - 0.5f);
      int first = Math.min((int) at, shown - 1);
      return new Between(first, Math.min(first + 1, shown - 1), at - first);
    }

    float share(boolean ofNext) {
      return ofNext ? share : 1 - share;
    }
  }
}
