package dev.squint.family;

import java.util.stream.IntStream;

/**
 * Where visual tokens lie on what is seen of an image: in the cells of a grid over all of it.
 *
 * @param rows cells from top to bottom
 * @param columns cells from left to right
 * @param tokens for each cell, row by row, its visual token, counted from 0 over the whole image;
 *     not copied
 */
public record TokenMap(int rows, int columns, int[] tokens) {

  /** Checks that each cell has a token. */
  public TokenMap {
    if (tokens.length != rows * columns) {
      throw new IllegalArgumentException(
          "%d tokens for a grid of %d x %d".formatted(tokens.length, rows, columns));
    }
  }

  /** A grid of tokens row by row. */
  public static TokenMap grid(int rows, int columns) {
    return new TokenMap(rows, columns, IntStream.range(0, rows * columns).toArray());
  }
}
