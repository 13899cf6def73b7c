package dev.squint.pruning.schedules;

import java.util.List;

/**
 * Shares that fall along a sigmoid over the depth of the decoder (P-Sigmoid; the form in the paper
 * could not be confirmed, this one is ours): {@code share(l) = low + (high - low) / (1 + exp(steep
 * (l / L - middle)))} of the tokens that entered the decoder stay in layer l of L.
 *
 * @param steep how steeply shares fall, above 0
 * @param middle the depth at which they are halfway down, as a share of the layers
 * @param low share in the limit of depth, from 0 to {@code high}
 * @param high share in the limit of the beginning, at most 1
 */
public record Sigmoid(double steep, double middle, double low, double high) implements Schedule {

  private static final int HALVINGS = 60;
  private static final double FAR = 20;

  public Sigmoid {
    if (!(steep > 0) || !(low >= 0 && low <= high && high <= 1) || Double.isNaN(middle)) {
      throw new IllegalArgumentException(
          "a sigmoid of steepness %s from %s down to %s does not fall within 0 and 1"
              .formatted(steep, high, low));
    }
  }

  /**
   * Finds the middle for a budget.
   *
   * @param steep how steeply shares fall
   * @param low share in the limit of depth
   * @param high share in the limit of the beginning
   * @param splits the first layers that run pruned, ascending
   * @param layers layers of the decoder
   * @param average wanted mean over all layers of the share that is alive, splits being where
   *     shares change; what cannot be reached becomes the nearest that can
   * @return the sigmoid
   */
  public static Sigmoid averaging(
      double steep, double low, double high, List<Integer> splits, int layers, double average) {
    double from = -FAR;
    double to = 1 + FAR;
    for (int i = 0; i < HALVINGS; i++) {
      double middle = (from + to) / 2;
      if (new Sigmoid(steep, middle, low, high).average(splits, layers) < average) {
        from = middle;
      } else {
        to = middle;
      }
    }
    return new Sigmoid(steep, to, low, high);
  }

  private double average(List<Integer> splits, int layers) {
    double sum = splits.get(0);
    for (int i = 0; i < splits.size(); i++) {
      int end = i + 1 < splits.size() ? splits.get(i + 1) : layers;
      sum += (end - splits.get(i)) * share(splits.get(i), layers);
    }
    return sum / layers;
  }

  /**
   * The share in a layer.
   *
   * @param layer the layer
   * @param layers layers of the decoder
   * @return {@code low} to {@code high}
   */
  public double share(int layer, int layers) {
    return low + (high - low) / (1 + Math.exp(steep * ((double) layer / layers - middle)));
  }

  @Override
  public int keep(Step step) {
    return (int) Math.rint(step.entered() * share(step.layer(), step.layers()));
  }
}
