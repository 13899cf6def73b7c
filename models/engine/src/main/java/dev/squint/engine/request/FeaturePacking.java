package dev.squint.engine.request;

import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;

/**
 * How the features of the tiles of an image become its visual tokens: each is the weighted sum of
 * rows of the features, counted through all tiles, or the row that comes after the last of these.
 *
 * @param tokens how many visual tokens there are
 * @param sources rows, {@code [terms, tokens]}: first those that come first in the sum of each
 *     token
 * @param weights what each row counts, of the same shape; empty where each token is one row
 * @param extra the row after the features, as long as these are wide
 */
public record FeaturePacking(int tokens, int[] sources, float[] weights, float[] extra) {

  /** Checks that sizes agree. */
  public FeaturePacking {
    boolean whole = tokens > 0 && sources.length > 0 && sources.length % tokens == 0;
    boolean weighted = weights.length == sources.length;
    if (!whole || !(weighted || (weights.length == 0 && sources.length == tokens))) {
      throw new ModelException(
          Kind.BAD_REQUEST,
          "%d visual tokens cannot be made of %d rows with %d weights; give each token as many rows as the others, and each row a weight"
              .formatted(tokens, sources.length, weights.length));
    }
    sources = sources.clone();
    weights = weights.clone();
    extra = extra.clone();
  }

  /** Of how many rows each token is the sum. */
  public int terms() {
    return sources.length / tokens;
  }

  @Override
  public int[] sources() {
    return sources.clone();
  }

  @Override
  public float[] weights() {
    return weights.clone();
  }

  @Override
  public float[] extra() {
    return extra.clone();
  }
}
