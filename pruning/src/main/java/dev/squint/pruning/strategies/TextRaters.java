package dev.squint.pruning.strategies;

import dev.squint.pruning.Observation;
import java.util.stream.IntStream;

/**
 * SparseVLM's text raters: the text tokens that the picture speaks to.
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
   * @param dots one row per text token behind the picture, at least one, one column per visual
   *     token
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
    double[] relevance = new double[dots.rows()];
    double[] column = new double[dots.rows()];
    for (int visual = 0; visual < dots.columns(); visual++) {
      double highest = Double.NEGATIVE_INFINITY;
      for (int text = 0; text < column.length; text++) {
        highest = Math.max(highest, dots.at(text, visual));
      }
      double sum = 0;
      for (int text = 0; text < column.length; text++) {
        column[text] = Math.exp(dots.at(text, visual) - highest);
        sum += column[text];
      }
      for (int text = 0; text < column.length; text++) {
        relevance[text] += column[text] / sum / dots.columns();
      }
    }
    return relevance;
  }
}
