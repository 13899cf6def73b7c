package dev.squint.pruning.strategies.math;

import dev.squint.pruning.observe.Observation;

/**
 * Rows given by a formula, so that another program can make the same: number k of row i is {@code
 * sin(a * (i + 1) * (k + 1) + b * k * k) + 0.3}.
 */
public record Waves(int rows, int columns, double a, double b) {

  public double[][] values() {
    double[][] values = new double[rows][columns];
    for (int i = 0; i < rows; i++) {
      for (int k = 0; k < columns; k++) {
        values[i][k] = Math.sin(a * (i + 1) * (k + 1) + b * k * k) + 0.3;
      }
    }
    return values;
  }

  public Observation observation() {
    double[][] values = values();
    float[] flat = new float[rows * columns];
    for (int i = 0; i < flat.length; i++) {
      flat[i] = (float) values[i / columns][i % columns];
    }
    return new Observation(rows, columns, flat);
  }

  public Observation cosines() {
    double[][] values = values();
    float[] cosines = new float[rows * rows];
    for (int i = 0; i < cosines.length; i++) {
      double[] one = values[i / rows];
      double[] other = values[i % rows];
      cosines[i] = (float) (dot(one, other) / Math.sqrt(dot(one, one) * dot(other, other)));
    }
    return new Observation(rows, rows, cosines);
  }

  private static double dot(double[] one, double[] other) {
    double sum = 0;
    for (int k = 0; k < one.length; k++) {
      sum += one[k] * other[k];
    }
    return sum;
  }
}
