package dev.squint.family.idefics3;

/**
 * How one image becomes tiles.
 *
 * @param width pixels a row of the image that is cut
 * @param height its rows
 * @param rows rows of tiles; 0 if the image is one tile, which has no grid
 * @param columns tiles in a row; 0 if the image is one tile
 */
record Tiling(int width, int height, int rows, int columns) {

  /** Tiles of the grid in row-major order, and the last one, which shows all of the image. */
  int tiles() {
    return rows * columns + 1;
  }

  long pixels() {
    return (long) width * height;
  }
}
