package dev.squint.pruning.layout;

/**
 * A run of visual tokens in a prompt, all of one image or video, and of one tile or frame of it.
 *
 * <p>Special tokens between the rows of an image (newline tokens) are text if the model's prompt
 * spells them out: they are not part of any span, and so never dropped; the rows are then spans of
 * their own with the same image and part. Where the vision encoder returns them among its features,
 * they are visual tokens like any other.
 *
 * @param image the image or video, counted from 0
 * @param part the tile of the image or frame of the video, counted from 0
 * @param start prompt position of the first token
 * @param length number of tokens
 * @param rows rows of the patch grid, 0 if the tokens form none
 * @param columns columns of the patch grid, 0 if the tokens form none; tokens are in row-major
 *     order
 */
public record VisualSpan(int image, int part, int start, int length, int rows, int columns) {

  public VisualSpan {
    if (image < 0 || part < 0 || start < 0 || length < 1) {
      throw new IllegalArgumentException(
          "a visual span needs an image, a part and a start from 0 and at least one token, not image "
              + image
              + ", part "
              + part
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
   * An image that is one part.
   *
   * @param image the image, counted from 0
   * @param start prompt position of the first token
   * @param length number of tokens
   * @param rows rows of the patch grid, or 0
   * @param columns columns of the patch grid, or 0
   */
  public VisualSpan(int image, int start, int length, int rows, int columns) {
    this(image, 0, start, length, rows, columns);
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
