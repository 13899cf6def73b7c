package dev.squint.pruning.strategies.decoder;

import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.strategies.math.ParallelRows;
import java.util.stream.IntStream;

/**
 * SparseVLM's text raters: the text tokens that the image speaks to.
 *
 * <p>With M the softmax over the text axis of the dot products of text and visual embeddings, a
 * token's relevance is the mean of its row of M over the visual tokens. Raters are those of at
 * least ({@code strict}: above) mean relevance. If there is none, the last text token is the rater.
 */
final class TextRaters {

  private TextRaters() {}

  /**
   * Chooses raters.
   *
   * @param dots one row per text token after the image, at least one, one column per visual token
   * @param strict whether the mean itself is not enough
   * @return ascending indices of rows, at least one
   */
  static int[] of(Observation dots, boolean strict) {
    double[] relevance = relevance(dots);
    double sum = 0;
    for (double value : relevance) {
      sum += value;
    }
    double mean = sum / relevance.length;
    int[] raters =
        IntStream.range(0, relevance.length)
            .filter(i -> strict ? relevance[i] > mean : relevance[i] >= mean)
            .toArray();
    return raters.length == 0 ? new int[] {relevance.length - 1} : raters;
  }

  private static double[] relevance(Observation dots) {
    int texts = dots.rows();
    double[][] shares = new double[texts][dots.columns()];
    ParallelRows.each(
        0,
        dots.columns(),
        (from, to) -> {
          float[][] some = new float[texts][to - from];
          for (int text = 0; text < texts; text++) {
            dots.copyRow(text, from, to - from, some[text]);
          }
          for (int visual = from; visual < to; visual++) {
            share(some, visual - from, shares, visual);
          }
        });
    double[] relevance = new double[texts];
    for (int text = 0; text < texts; text++) {
      for (double share : shares[text]) {
        relevance[text] += share / dots.columns();
      }
    }
    return relevance;
  }

  /** The softmax over the texts of their dot products with one visual token. */
  private static void share(float[][] dots, int column, double[][] shares, int visual) {
    double highest = Double.NEGATIVE_INFINITY;
    for (float[] row : dots) {
      highest = Math.max(highest, row[column]);
    }
    double sum = 0;
    for (int text = 0; text < dots.length; text++) {
      shares[text][visual] = Math.exp(dots[text][column] - highest);
      sum += shares[text][visual];
    }
    for (double[] row : shares) {
      row[visual] /= sum;
    }
  }
}
