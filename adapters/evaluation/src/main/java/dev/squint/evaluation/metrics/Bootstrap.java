package dev.squint.evaluation.metrics;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.ToDoubleFunction;

/** Percentile bootstrap of a mean (Efron, Annals of Statistics 1979), with 95 % confidence. */
public final class Bootstrap {

  private static final int RESAMPLES = 1000;
  private static final double TAIL = 0.025;

  private Bootstrap() {}

  /**
   * The interval of the mean.
   *
   * @param scores one per question
   * @param seed of the draws; the same seed gives the same interval
   * @return the 2.5 % and 97.5 % quantiles of 1,000 resampled means; 0 to 0 without scores
   */
  public static Interval ofMean(double[] scores, long seed) {
    if (scores.length == 0) {
      return new Interval(0, 0);
    }
    SplittableRandom random = new SplittableRandom(seed);
    double[] means = new double[RESAMPLES];
    for (int resample = 0; resample < RESAMPLES; resample++) {
      double sum = 0;
      for (int i = 0; i < scores.length; i++) {
        sum += scores[random.nextInt(scores.length)];
      }
      means[resample] = sum / scores.length;
    }
    Arrays.sort(means);
    return new Interval(quantile(means, TAIL), quantile(means, 1 - TAIL));
  }

  /**
   * The interval of a figure that is no mean.
   *
   * @param size questions
   * @param seed of the draws
   * @param figure computes it from the places of the questions drawn
   * @return the 2.5 % and 97.5 % quantiles over 1,000 resamples; 0 to 0 without questions
   */
  public static Interval of(int size, long seed, ToDoubleFunction<int[]> figure) {
    if (size == 0) {
      return new Interval(0, 0);
    }
    SplittableRandom random = new SplittableRandom(seed);
    double[] figures = new double[RESAMPLES];
    int[] drawn = new int[size];
    for (int resample = 0; resample < RESAMPLES; resample++) {
      for (int i = 0; i < size; i++) {
        drawn[i] = random.nextInt(size);
      }
      figures[resample] = figure.applyAsDouble(drawn);
    }
    Arrays.sort(figures);
    return new Interval(quantile(figures, TAIL), quantile(figures, 1 - TAIL));
  }

  /** Linear between the ranks around it. */
  private static double quantile(double[] ascending, double share) {
    double rank = share * (ascending.length - 1);
    int below = (int) rank;
    int above = Math.min(below + 1, ascending.length - 1);
    return ascending[below] + (rank - below) * (ascending[above] - ascending[below]);
  }
}
