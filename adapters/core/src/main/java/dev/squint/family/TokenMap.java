package dev.squint.family;

import java.util.stream.IntStream;

/**
 * Where visual tokens lie on what is seen of an image: in the cells of a grid over all of it.
 *
 * @param rows cells from top to bottom
 * @param columns cells from left to right
 * @param tokens for each cell, row by row, its visual token, counted from 0 over the whole image;
 *     not copied
 * @param elsewhere how many more visual tokens the image has that lie nowhere, such as newlines
 */
public record TokenMap(int rows, int columns, int[] tokens, int elsewhere) {

  /** Checks that each cell has a token. */
  public TokenMap {
    if (tokens.length != rows * columns) {
      throw new IllegalArgumentException(
          "%d tokens for a grid of %d x %d".formatted(tokens.length, rows, columns));
    }
  }

  /** Of all tokens. */
  public TokenMap(int rows, int columns, int[] tokens) {
    this(rows, columns, tokens, 0);
  }

  /** How many visual tokens there are, those that lie nowhere among them. */
  public int count() {
    return tokens.length + elsewhere;
  }

  /** A grid of tokens row by row. */
  public static TokenMap grid(int rows, int columns) {
    return new TokenMap(rows, columns, IntStream.range(0, rows * columns).toArray());
  }
}
