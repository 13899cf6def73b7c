package dev.squint.pruning;

/**
 * A run of visual tokens in a prompt, all of one picture (or one tile or frame of it).
 *
 * @param image the picture, counted from 0
 * @param start position of the first token in the prompt
 * @param length number of tokens
 * @param rows rows of the patch grid, 0 if the tokens form none
 * @param columns columns of the patch grid, 0 if the tokens form none; tokens are in row-major
 *     order
 */
public record VisualSpan(int image, int start, int length, int rows, int columns) {

  public VisualSpan {
    if (image < 0 || start < 0 || length < 1) {
      throw new IllegalArgumentException(
          "a visual span needs an image and a start from 0 and at least one token, not image "
              + image
              + ", start "
              + start
              + ", length "
              + length);
    }
    boolean gridless = rows == 0 && columns == 0;
    if (!gridless && (rows < 1 || columns < 1 || (long) rows * columns != length)) {
      throw new IllegalArgumentException(
          "a grid of " + rows + " x " + columns + " does not hold " + length + " visual tokens");
    }
  }

  /**
   * The first position after the span.
   *
   * @return {@code start + length}
   */
  public int end() {
    return start + length;
  }
}
