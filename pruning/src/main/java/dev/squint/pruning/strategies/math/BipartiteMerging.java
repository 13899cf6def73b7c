package dev.squint.pruning.strategies.math;

import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.site.MergedToken;
import dev.squint.pruning.site.Ranking;
import dev.squint.pruning.site.Scope;
import java.util.Arrays;
import java.util.List;

/**
 * Bipartite soft matching of the tokens of one tile, round after round, on nothing but the cosines
 * of the tokens there were at first.
 *
 * <p>A token made of several has as its key the weighted sum of their unit keys, so the dot product
 * of two such keys is the weighted sum of the members' cosines, {@code sum_ij w_i w_j S[i][j]}, and
 * their cosine follows exactly: that over the square roots of the same sums within each. However
 * far the merging is, a round reads at most a quarter of the matrix.
 */
public final class BipartiteMerging {

  private final Observation similarity;
  private final int offset;
  private final boolean sizes;
  private Cluster[] order;

  /**
   * Tokens that have become one; alone at first.
   *
   * @param origin the token whose place it has
   * @param tokens the members
   * @param weights the weight of each in the sum that is its key
   * @param length of its key
   */
  private record Cluster(int origin, int[] tokens, float[] weights, double length) {}

  /**
   * Begins with every token for itself.
   *
   * @param similarity one row per token alive, one column per token of its tile
   * @param tile the tokens
   * @param sizes whether a token counts as many as it is made of, rather than once
   */
  public BipartiteMerging(Observation similarity, Scope.Group tile, boolean sizes) {
    this.similarity = similarity;
    this.offset = tile.from();
    this.sizes = sizes;
    this.order = new Cluster[tile.size()];
    for (int i = 0; i < order.length; i++) {
      double square = similarity.at(offset + i, i);
      order[i] = new Cluster(i, new int[] {i}, new float[] {1}, Math.sqrt(square));
    }
  }

  /** Counts the tokens there are now. */
  public int tokens() {
    return order.length;
  }

  /**
   * Merges some of every second token into those between.
   *
   * @param pairs how many, at most half of the tokens, rounded down
   */
  public void round(int pairs) {
    int movable = (order.length + 1) / 2;
    int[] best = new int[movable];
    long[] edges = new long[movable];
    match(best, edges);
    Arrays.sort(edges);
    int[] joins = new int[movable];
    Arrays.fill(joins, -1);
    int[] joined = new int[order.length - movable];
    for (int i = 0; i < pairs; i++) {
      int from = (int) edges[i];
      joins[from] = best[from];
      joined[best[from]]++;
    }
    Cluster[] next = new Cluster[order.length - pairs];
    Cluster[][] parts = new Cluster[joined.length][];
    for (int i = 0; i < joined.length; i++) {
      parts[i] = new Cluster[joined[i] + 1];
      parts[i][0] = order[2 * i + 1];
      joined[i] = 1;
    }
    int size = 0;
    for (int i = 0; i < movable; i++) {
      if (joins[i] < 0) {
        next[size++] = order[2 * i];
      } else {
        parts[joins[i]][joined[joins[i]]++] = order[2 * i];
      }
    }
    for (Cluster[] together : parts) {
      next[size++] = together.length == 1 ? together[0] : merged(together);
    }
    order = next;
  }

  /** Draws an edge from each token that may move to the most similar of those between. */
  private void match(int[] best, long[] edges) {
    Between between = Between.of(order, similarity.columns());
    ParallelRows.each(
        0,
        best.length,
        (from, to) -> {
          float[] products = new float[similarity.columns()];
          float[] row = new float[products.length];
          for (int i = from; i < to; i++) {
            Cluster cluster = order[2 * i];
            multiply(cluster, products, row);
            Edge edge = between.nearest(products);
            best[i] = edge.place;
            edges[i] = Ranking.key((float) (edge.cosine * inverse(cluster.length)), i);
          }
        });
  }

  /** The dot products of a token's key with all keys there were at first. */
  private void multiply(Cluster cluster, float[] products, float[] row) {
    similarity.copyRow(offset + cluster.tokens[0], products);
    if (cluster.tokens.length == 1) {
      return;
    }
    float first = cluster.weights[0];
    for (int i = 0; i < products.length; i++) {
      products[i] *= first;
    }
    for (int j = 1; j < cluster.tokens.length; j++) {
      similarity.copyRow(offset + cluster.tokens[j], row);
      float weight = cluster.weights[j];
      for (int i = 0; i < products.length; i++) {
        products[i] += weight * row[i];
      }
    }
  }

  /**
   * The tokens that may be joined.
   *
   * @param alone for each token there was at first one over the length of its key, not a number
   *     unless it may be joined and is made of nothing else
   * @param place for each of those where it stands among the tokens that may be joined
   * @param several where the others stand
   * @param inverses for each of those one over the length of its key
   * @param ends for each of those where its members end, and those of the next begin
   * @param members theirs, one after the other
   * @param weights of the members
   */
  private record Between(
      float[] alone,
      int[] place,
      int[] several,
      float[] inverses,
      int[] ends,
      int[] members,
      float[] weights) {

    private static Between of(Cluster[] order, int tokens) {
      float[] alone = new float[tokens];
      Arrays.fill(alone, Float.NaN);
      int[] place = new int[tokens];
      int[] several = new int[order.length / 2];
      float[] inverses = new float[several.length];
      int[] ends = new int[several.length];
      int[] members = new int[tokens];
      float[] weights = new float[tokens];
      int count = 0;
      int end = 0;
      for (int i = 0; i < several.length; i++) {
        Cluster cluster = order[2 * i + 1];
        float inverse = (float) inverse(cluster.length);
        if (cluster.tokens.length == 1) {
          alone[cluster.origin] = inverse;
          place[cluster.origin] = i;
          continue;
        }
        System.arraycopy(cluster.tokens, 0, members, end, cluster.tokens.length);
        System.arraycopy(cluster.weights, 0, weights, end, cluster.tokens.length);
        end += cluster.tokens.length;
        several[count] = i;
        inverses[count] = inverse;
        ends[count++] = end;
      }
      return new Between(
          alone, place, Arrays.copyOf(several, count), inverses, ends, members, weights);
    }

    /**
     * Finds the one with the highest cosine by its products with a key.
     *
     * @return where it stands, and the cosine times the key's length
     */
    private Edge nearest(float[] products) {
      float highest = Float.NEGATIVE_INFINITY;
      int token = -1;
      for (int i = 0; i < alone.length; i++) {
        float cosine = products[i] * alone[i];
        if (cosine > highest) {
          highest = cosine;
          token = i;
        }
      }
      int nearest = token < 0 ? -1 : place[token];
      int from = 0;
      for (int i = 0; i < several.length; i++) {
        float product = 0;
        int end = ends[i];
        for (int k = from; k < end; k++) {
          product += weights[k] * products[members[k]];
        }
        from = end;
        float cosine = product * inverses[i];
        if (cosine > highest) {
          highest = cosine;
          nearest = several[i];
        }
      }
      return nearest < 0 ? new Edge(0, Float.NaN) : new Edge(nearest, highest);
    }
  }

  /** Where the nearest stands, and its cosine times the length of the other key. */
  private record Edge(int place, float cosine) {}

  private static double inverse(double length) {
    return length > 0 ? 1 / length : 0;
  }

  private Cluster merged(Cluster[] parts) {
    int count = Arrays.stream(parts).mapToInt(part -> part.tokens.length).sum();
    int[] tokens = new int[count];
    float[] weights = new float[count];
    int next = 0;
    for (Cluster part : parts) {
      for (int i = 0; i < part.tokens.length; i++) {
        tokens[next] = part.tokens[i];
        weights[next++] = sizes ? 1 : part.weights[i] / parts.length;
      }
    }
    double square = 0;
    float[] row = new float[similarity.columns()];
    for (int i = 0; i < count; i++) {
      similarity.copyRow(offset + tokens[i], row);
      for (int j = 0; j < count; j++) {
        square += (double) weights[i] * weights[j] * row[tokens[j]];
      }
    }
    return new Cluster(parts[0].origin, tokens, weights, Math.sqrt(square));
  }

  /** The tokens there are now, ascending, as indices into the tokens alive. */
  public int[] origins() {
    return Arrays.stream(order).mapToInt(cluster -> offset + cluster.origin).sorted().toArray();
  }

  /** Adds those made of several. */
  public void addTo(List<MergedToken> merged) {
    for (Cluster cluster : order) {
      int count = cluster.tokens.length;
      if (count > 1) {
        float[] weights = cluster.weights;
        if (sizes) {
          weights = new float[count];
          Arrays.fill(weights, 1f / count);
        }
        int[] sources = Arrays.stream(cluster.tokens).map(token -> offset + token).toArray();
        merged.add(new MergedToken(offset + cluster.origin, sources, weights));
      }
    }
  }
}
