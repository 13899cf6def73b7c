package dev.squint.pruning.strategies.math;

import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.site.Scope;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Who is most like a token among ever fewer tokens of its tile. Remembers a few neighbours of each,
 * so that a row of similarities is read only when those have left. Tokens count from 0 within the
 * tile; a similarity that is not a number counts as the lowest.
 */
public final class Neighbours {

  private static final int REMEMBERED = 16;
  private static final int READ_AGAIN_BEFORE_TIDYING = 64;

  private final Observation similarity;
  private final int offset;
  private final boolean[] alive;
  private final float[] row;
  private final BoundedTopK[] remembered;
  private int[] open;
  private int readAgain;

  /**
   * Looks at a tile.
   *
   * @param similarity one row per token alive, one column per token of its tile
   * @param tile the tokens
   * @param alive which of them may be asked for; the caller takes tokens away, never adds any
   */
  public Neighbours(Observation similarity, Scope.Group tile, boolean[] alive) {
    this.similarity = similarity;
    this.offset = tile.from();
    this.alive = alive;
    this.row = new float[similarity.columns()];
    this.remembered = new BoundedTopK[tile.size()];
    this.open = IntStream.range(0, alive.length).filter(token -> alive[token]).toArray();
    ParallelRows.each(
        0,
        open.length,
        (from, to) -> {
          float[] values = new float[row.length];
          for (int i = from; i < to; i++) {
            remembered[open[i]] = new BoundedTopK(REMEMBERED);
            read(open[i], values);
          }
        });
  }

  /**
   * The highest similarity of a token to some others.
   *
   * @param token whose; alive
   * @param among which others, all of them alive, not the token itself
   * @return the similarity, NaN if there is none that is a number
   */
  public float highest(int token, boolean[] among) {
    float found = first(remembered[token], among);
    if (!Float.isNaN(found) || !remembered[token].isFull()) {
      return found;
    }
    if (readAgain++ % READ_AGAIN_BEFORE_TIDYING == 0) {
      open = Arrays.stream(open).filter(other -> alive[other]).toArray();
    }
    read(token, row);
    found = first(remembered[token], among);
    return Float.isNaN(found) ? scanned(among) : found;
  }

  private static float first(BoundedTopK neighbours, boolean[] among) {
    for (int place = 0; place < neighbours.size(); place++) {
      if (among[neighbours.token(place)]) {
        return neighbours.value(place);
      }
    }
    return Float.NaN;
  }

  private void read(int token, float[] values) {
    similarity.copyRow(offset + token, values);
    values[token] = Float.NaN;
    BoundedTopK neighbours = remembered[token];
    neighbours.clear();
    float least = Float.NEGATIVE_INFINITY;
    for (int other : open) {
      float value = values[other];
      if (value > least && alive[other]) {
        neighbours.offer(other, value);
        least = neighbours.least();
      }
    }
  }

  /** Looks through the whole row that was read last. */
  private float scanned(boolean[] among) {
    BoundedTopK nearest = new BoundedTopK(1);
    for (int other = 0; other < among.length; other++) {
      if (among[other]) {
        nearest.offer(other, row[other]);
      }
    }
    return nearest.isFull() ? nearest.value(0) : Float.NaN;
  }
}
