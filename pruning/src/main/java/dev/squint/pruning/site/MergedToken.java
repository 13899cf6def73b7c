package dev.squint.pruning.site;

import dev.squint.error.StrategyException;
import java.util.Arrays;

/**
 * A visual token made of several: the weighted sum {@code sum(weights[i] * x[sources[i]])} of the
 * live visual tokens of a site, computed in the network.
 *
 * <p>If its origin is among the kept tokens of the {@link Selection}, it stands in for that token,
 * at its place. If not, it is one more token: after the last place of the tile or frame its origin
 * belongs to, in the order of the selection. Either way it takes its origin's position id where a
 * site keeps original positions.
 *
 * @param origin one of the live visual tokens of the site
 * @param sources which live visual tokens of the site, unique, at least one; copied in and out
 * @param weights one finite weight per source; copied in and out
 */
public record MergedToken(int origin, int[] sources, float[] weights) {

  public MergedToken {
    sources = sources.clone();
    weights = weights.clone();
    if (sources.length == 0 || sources.length != weights.length) {
      throw new StrategyException(
          "a merged token needs sources with one weight each, but has "
              + sources.length
              + " sources and "
              + weights.length
              + " weights");
    }
    int[] ascending = sources.clone();
    Arrays.sort(ascending);
    if (origin < 0 || ascending[0] < 0) {
      throw new StrategyException("a merged token cannot come from a token below 0");
    }
    for (int i = 1; i < ascending.length; i++) {
      if (ascending[i] == ascending[i - 1]) {
        throw new StrategyException("a merged token names a source twice; add its weights");
      }
    }
    for (float weight : weights) {
      if (!Float.isFinite(weight)) {
        throw new StrategyException("a merged token has a weight of " + weight);
      }
    }
  }

  /**
   * The plain mean of some tokens.
   *
   * @param origin one of the live visual tokens of the site
   * @param sources the tokens
   * @return each with the weight {@code 1 / sources.length}
   */
  public static MergedToken mean(int origin, int... sources) {
    float[] weights = new float[sources.length];
    Arrays.fill(weights, 1f / sources.length);
    return new MergedToken(origin, sources, weights);
  }

  @Override
  public int[] sources() {
    return sources.clone();
  }

  @Override
  public float[] weights() {
    return weights.clone();
  }

  int lastToken() {
    int last = origin;
    for (int source : sources) {
      last = Math.max(last, source);
    }
    return last;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof MergedToken that
        && origin == that.origin
        && Arrays.equals(sources, that.sources)
        && Arrays.equals(weights, that.weights);
  }

  @Override
  public int hashCode() {
    return 31 * (31 * origin + Arrays.hashCode(sources)) + Arrays.hashCode(weights);
  }

  @Override
  public String toString() {
    return "MergedToken[" + origin + " from " + Arrays.toString(sources) + "]";
  }
}
