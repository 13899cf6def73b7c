package dev.squint.pruning.strategies;

import dev.squint.pruning.Observation;
import dev.squint.pruning.Scope;
import java.util.Arrays;

/**
 * Who is most like a token among ever fewer tokens of its tile. Remembers a few neighbours of each,
 * so that a row of similarities is read only when those have left. Tokens count from 0 within the
 * tile; a similarity that is not a number counts as the lowest.
 */
final class Neighbours {

  private static final int REMEMBERED = 16;
  private static final int UNREAD = -1;

  private final Observation similarity;
  private final int offset;
  private final boolean[] alive;
  private final float[] row;
  private final int[] tokens;
  private final float[] values;
  private final int[] lengths;

  /**
   * Looks at a tile.
   *
   * @param similarity one row per token alive, one column per token of its tile
   * @param tile the tokens
   * @param alive which of them may still be asked for; the caller takes tokens away, never adds any
   */
  Neighbours(Observation similarity, Scope.Group tile, boolean[] alive) {
    this.similarity = similarity;
    this.offset = tile.from();
    this.alive = alive;
    this.row = new float[similarity.columns()];
    this.tokens = new int[tile.size() * REMEMBERED];
    this.values = new float[tokens.length];
    this.lengths = new int[tile.size()];
    Arrays.fill(lengths, UNREAD);
  }

  /**
   * The highest similarity of a token to some others.
   *
   * @param token whose
   * @param among which others, all of them alive, not the token itself
   * @return the similarity, NaN if there is none that is a number
   */
  float highest(int token, boolean[] among) {
    if (lengths[token] != UNREAD) {
      float found = remembered(token, among);
      if (!Float.isNaN(found) || lengths[token] < REMEMBERED) {
        return found;
      }
    }
    read(token);
    float found = remembered(token, among);
    return Float.isNaN(found) && lengths[token] == REMEMBERED ? scanned(among) : found;
  }

  private float remembered(int token, boolean[] among) {
    int from = token * REMEMBERED;
    for (int i = from; i < from + lengths[token]; i++) {
      if (among[tokens[i]]) {
        return values[i];
      }
    }
    return Float.NaN;
  }

  private void read(int token) {
    similarity.copyRow(offset + token, row);
    int from = token * REMEMBERED;
    int length = 0;
    float least = Float.NEGATIVE_INFINITY;
    for (int other = 0; other < alive.length; other++) {
      float value = row[other];
      if ((value > least || length < REMEMBERED && value == value)
          && alive[other]
          && other != token) {
        int place = from + Math.min(length, REMEMBERED - 1);
        for (; place > from && values[place - 1] < value; place--) {
          values[place] = values[place - 1];
          tokens[place] = tokens[place - 1];
        }
        values[place] = value;
        tokens[place] = other;
        length = Math.min(length + 1, REMEMBERED);
        least = length < REMEMBERED ? least : values[from + REMEMBERED - 1];
      }
    }
    lengths[token] = length;
  }

  private float scanned(boolean[] among) {
    float highest = Float.NaN;
    for (int other = 0; other < among.length; other++) {
      if (among[other] && !(row[other] <= highest) && !Float.isNaN(row[other])) {
        highest = row[other];
      }
    }
    return highest;
  }
}
