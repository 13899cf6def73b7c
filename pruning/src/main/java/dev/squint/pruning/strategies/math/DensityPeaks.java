package dev.squint.pruning.strategies.math;

import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.site.Ranking;
import java.util.Arrays;

/**
 * Clusters around peaks of density (DPC-KNN: Du et al., "Study on density peaks clustering based on
 * k-nearest neighbors and principal component analysis", 2016, as SparseVLM uses it).
 *
 * <p>The distance of two tokens is their Euclidean distance over the square root of the width. The
 * density of a token is {@code exp(-m)}, m being the mean square of the distances to its k nearest,
 * itself included. Its separation is the least distance to a denser token; for the densest the
 * largest distance of all. Centres are the tokens with the highest product of the two, in
 * descending order. Where densities are equal the lower index is denser; a number that is not one
 * is lowest. Distances come from dot products, so that of nearly equal tokens is rough: to some
 * 1e-3 of their length.
 *
 * @param centres indices of the centres into the tokens
 * @param nearest for each token the index of the centre that is nearest to it; a centre's own is
 *     itself
 */
public record DensityPeaks(int[] centres, int[] nearest) {

  /**
   * Finds clusters.
   *
   * @param states the rows that are compared
   * @param tokens which of them
   * @param clusters how many centres, at most as many as tokens; also the k of the density
   * @param join what makes a centre near
   */
  public static DensityPeaks of(Observation states, int[] tokens, int clusters, Join join) {
    float[][] products = DotProducts.of(states, tokens);
    float[][] distances = distances(products, states.columns());
    int[] centres =
        Arrays.copyOf(
            Ranking.descending(peaks(distances, densities(distances, clusters))), clusters);
    float[][] far = new float[clusters][tokens.length];
    for (int i = 0; i < clusters; i++) {
      far[i] =
          join == Join.DISTANCE ? distances[centres[i]] : turned(products[centres[i]], centres[i]);
    }
    return new DensityPeaks(centres, nearest(far, centres));
  }

  /** What makes a centre near to a token. */
  public enum Join {
    /** A small Euclidean distance. */
    DISTANCE,
    /** A large cosine; that with a zero is 0. */
    COSINE
  }

  private static float[][] distances(float[][] products, int width) {
    float[][] distances = new float[products.length][products.length];
    ParallelRows.each(
        0,
        products.length,
        (from, to) -> {
          for (int i = from; i < to; i++) {
            for (int j = 0; j < i; j++) {
              double square = (double) products[i][i] + products[j][j] - 2.0 * products[i][j];
              distances[i][j] = (float) Math.sqrt(Math.max(0, square) / width);
              distances[j][i] = distances[i][j];
            }
          }
        });
    return distances;
  }

  /** For each token the cosine with a centre times the token's own length, negated. */
  private static float[] turned(float[] products, int centre) {
    float[] turned = new float[products.length];
    double length = Math.sqrt(products[centre]);
    for (int i = 0; i < products.length && length != 0; i++) {
      turned[i] = (float) (-products[i] / length);
    }
    return turned;
  }

  private static float[] densities(float[][] distances, int neighbours) {
    float[] densities = new float[distances.length];
    ParallelRows.each(
        0,
        densities.length,
        (from, to) -> {
          float[] nearest = new float[neighbours];
          for (int i = from; i < to; i++) {
            smallest(distances[i], nearest);
            double squares = 0;
            for (float distance : nearest) {
              squares += (double) distance * distance;
            }
            densities[i] = (float) Math.exp(-squares / neighbours);
          }
        });
    return densities;
  }

  /** Finds the smallest of some distances, ascending; NaN counts as largest. */
  private static void smallest(float[] distances, float[] into) {
    System.arraycopy(distances, 0, into, 0, into.length);
    Arrays.sort(into);
    for (int i = into.length; i < distances.length; i++) {
      int place = into.length;
      while (place > 0 && Float.compare(distances[i], into[place - 1]) < 0) {
        place--;
      }
      if (place < into.length) {
        System.arraycopy(into, place, into, place + 1, into.length - 1 - place);
        into[place] = distances[i];
      }
    }
  }

  private static float[] peaks(float[][] distances, float[] densities) {
    int[] descending = Ranking.descending(densities);
    float[] peaks = new float[densities.length];
    ParallelRows.each(
        0,
        descending.length,
        (from, to) -> {
          for (int rank = from; rank < to; rank++) {
            int token = descending[rank];
            float separation = rank == 0 ? largest(distances) : Float.POSITIVE_INFINITY;
            for (int denser = 0; denser < rank; denser++) {
              separation = Math.min(separation, distances[token][descending[denser]]);
            }
            peaks[token] = densities[token] * separation;
          }
        });
    return peaks;
  }

  private static float largest(float[][] distances) {
    float largest = 0;
    for (float[] row : distances) {
      for (float distance : row) {
        largest = distance > largest ? distance : largest;
      }
    }
    return largest;
  }

  private static int[] nearest(float[][] far, int[] centres) {
    int[] nearest = new int[far[0].length];
    for (int token = 0; token < nearest.length; token++) {
      for (int i = 1; i < centres.length; i++) {
        if (far[i][token] < far[nearest[token]][token]) {
          nearest[token] = i;
        }
      }
    }
    for (int i = 0; i < centres.length; i++) {
      nearest[centres[i]] = i;
    }
    return nearest;
  }

  /**
   * The members of a cluster.
   *
   * @param cluster index into the centres
   * @return indices into the tokens, ascending
   */
  public int[] members(int cluster) {
    int[] members = new int[nearest.length];
    int size = 0;
    for (int token = 0; token < nearest.length; token++) {
      if (nearest[token] == cluster) {
        members[size++] = token;
      }
    }
    return Arrays.copyOf(members, size);
  }
}
