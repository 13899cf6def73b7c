package dev.squint.pruning.strategies.math;

import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.site.MergedToken;
import dev.squint.pruning.site.Scope;
import java.util.Arrays;

/**
 * Tokens of one tile that join others of it, each the most similar: among equals the first, a
 * similarity that is not a number counts as the lowest. Tokens count from 0 within the tile.
 *
 * @param tile the tokens
 * @param targets those that are joined
 * @param joiners for each target those that join it, in the order in which they came
 */
public record NearestAssignment(Scope.Group tile, int[] targets, int[][] joiners) {

  /**
   * Lets tokens join.
   *
   * @param similarity one row per token alive, one column per token of its tile
   * @param tile the tokens
   * @param targets those that are joined, at least one
   * @param others those that join
   */
  public static NearestAssignment nearest(
      Observation similarity, Scope.Group tile, int[] targets, int[] others) {
    int[] joined = new int[others.length];
    int[] counts = new int[targets.length];
    for (int i = 0; i < others.length; i++) {
      joined[i] = nearest(similarity, tile.from() + others[i], targets);
      counts[joined[i]]++;
    }
    int[][] joiners = new int[targets.length][];
    Arrays.setAll(joiners, target -> new int[counts[target]]);
    for (int i = others.length - 1; i >= 0; i--) {
      joiners[joined[i]][--counts[joined[i]]] = others[i];
    }
    return new NearestAssignment(tile, targets, joiners);
  }

  /**
   * The tokens of a tile that are not among some.
   *
   * @param some ascending
   * @param tokens how many the tile has
   * @return the others, ascending
   */
  public static int[] others(int[] some, int tokens) {
    int[] others = new int[tokens - some.length];
    int next = 0;
    for (int token = 0; token < tokens; token++) {
      int passed = token - next;
      if (passed == some.length || some[passed] != token) {
        others[next++] = token;
      }
    }
    return others;
  }

  private static int nearest(Observation similarity, int row, int[] targets) {
    int nearest = 0;
    float highest = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < targets.length; i++) {
      float value = similarity.at(row, targets[i]);
      if (value > highest) {
        highest = value;
        nearest = i;
      }
    }
    return nearest;
  }

  /**
   * A target and those that join it.
   *
   * @param target index into the targets
   * @param own the target's weight
   * @param each the weight of each that joins
   * @return a token that comes from the target
   */
  public MergedToken merged(int target, float own, float each) {
    int[] sources = new int[joiners[target].length + 1];
    float[] weights = new float[sources.length];
    Arrays.fill(weights, each);
    sources[0] = tile.from() + targets[target];
    weights[0] = own;
    for (int i = 1; i < sources.length; i++) {
      sources[i] = tile.from() + joiners[target][i - 1];
    }
    return new MergedToken(sources[0], sources, weights);
  }

  /**
   * The plain mean of a target and those that join it.
   *
   * @param target index into the targets
   * @return a token that comes from the target
   */
  public MergedToken mean(int target) {
    float weight = 1f / (joiners[target].length + 1);
    return merged(target, weight, weight);
  }
}
