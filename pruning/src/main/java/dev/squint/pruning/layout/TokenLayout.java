package dev.squint.pruning.layout;

import java.util.List;

/**
 * What each position of a prompt is: the visual spans are visual tokens, all else is text. Original
 * visual tokens are counted through the spans in order.
 *
 * @param length number of tokens of the unpruned prompt
 * @param visual the visual spans, ascending and apart; empty for a prompt without an image
 */
public record TokenLayout(int length, List<VisualSpan> visual) {

  public TokenLayout {
    visual = List.copyOf(visual);
    int free = 0;
    for (VisualSpan span : visual) {
      if (span.start() < free) {
        throw new IllegalArgumentException(
            "the visual span at "
                + span.start()
                + " begins before position "
                + free
                + ", where the one before it ends");
      }
      free = span.end();
    }
    if (length < free) {
      throw new IllegalArgumentException(
          "a prompt of " + length + " tokens cannot hold a visual span that ends at " + free);
    }
  }

  /**
   * Counts the visual tokens.
   *
   * @return the sum of the span lengths
   */
  public int visualTokens() {
    int sum = 0;
    for (VisualSpan span : visual) {
      sum += span.length();
    }
    return sum;
  }

  /**
   * Lists where the original visual tokens are.
   *
   * @return a new array: for each original visual token its prompt position, ascending
   */
  public int[] visualPositions() {
    int[] positions = new int[visualTokens()];
    int next = 0;
    for (VisualSpan span : visual) {
      for (int position = span.start(); position < span.end(); position++) {
        positions[next++] = position;
      }
    }
    return positions;
  }
}
