package dev.squint.family;

/**
 * A run of visual tokens of an image, in the order of the encoder's features.
 *
 * @param part the tile that it is of, counted from 0; several runs may be of one
 * @param tokens how many visual tokens
 * @param rows rows of their grid, 0 if they form none
 * @param columns columns of their grid, 0 if they form none
 */
public record ImagePart(int part, int tokens, int rows, int columns) {

  /** A whole tile. */
  public static ImagePart grid(int part, int rows, int columns) {
    return new ImagePart(part, rows * columns, rows, columns);
  }
}
