package dev.squint.pruning.schedules;

/**
 * The numerical rank of a matrix of a few rows: how many of its singular values exceed {@code
 * max(rows, columns) * 2^-23} times the largest, which is the tolerance of torch.linalg.matrix_rank
 * in float32. The singular values are the square roots of the eigenvalues of {@code A A^T}, found
 * in double precision by Jacobi rotations.
 */
public final class MatrixRank {

  private static final int MAX_SWEEPS = 50;
  private static final double DONE = 1e-22;

  private MatrixRank() {}

  /**
   * Counts.
   *
   * @param rows the matrix, row by row; NaN and infinite numbers count as 0
   * @return 0 to the smaller side
   */
  public static int of(float[][] rows) {
    if (rows.length == 0) {
      return 0;
    }
    int columns = rows[0].length;
    double[][] gram = gram(rows);
    diagonalise(gram);
    double largest = 0;
    for (int i = 0; i < gram.length; i++) {
      largest = Math.max(largest, gram[i][i]);
    }
    double tolerance = Math.max(rows.length, columns) * Math.ulp(1f) * Math.sqrt(largest);
    int rank = 0;
    for (int i = 0; i < gram.length; i++) {
      if (Math.sqrt(Math.max(0, gram[i][i])) > tolerance) {
        rank++;
      }
    }
    return Math.min(rank, columns);
  }

  private static double[][] gram(float[][] rows) {
    double[][] gram = new double[rows.length][rows.length];
    double[][] finite = new double[rows.length][];
    for (int i = 0; i < rows.length; i++) {
      finite[i] = finite(rows[i]);
      int j = 0;
      for (; j + 4 <= i + 1; j += 4) {
        multiply(finite[i], finite, j, gram[i]);
      }
      for (; j <= i; j++) {
        gram[i][j] = product(finite[i], finite[j]);
      }
      for (j = 0; j < i; j++) {
        gram[j][i] = gram[i][j];
      }
    }
    return gram;
  }

  private static double[] finite(float[] row) {
    double[] finite = new double[row.length];
    for (int k = 0; k < row.length; k++) {
      finite[k] = Float.isFinite(row[k]) ? row[k] : 0;
    }
    return finite;
  }

  private static double product(double[] one, double[] other) {
    double sum = 0;
    for (int k = 0; k < one.length; k++) {
      sum += one[k] * other[k];
    }
    return sum;
  }

  /** The products of a row with four others: their sums do not wait for each other. */
  private static void multiply(double[] row, double[][] others, int first, double[] into) {
    double[] one = others[first];
    double[] two = others[first + 1];
    double[] three = others[first + 2];
    double[] four = others[first + 3];
    double a = 0;
    double b = 0;
    double c = 0;
    double d = 0;
    for (int k = 0; k < row.length; k++) {
      double value = row[k];
      a += value * one[k];
      b += value * two[k];
      c += value * three[k];
      d += value * four[k];
    }
    into[first] = a;
    into[first + 1] = b;
    into[first + 2] = c;
    into[first + 3] = d;
  }

  private static void diagonalise(double[][] a) {
    double scale = 0;
    for (double[] row : a) {
      for (double value : row) {
        scale += value * value;
      }
    }
    for (int sweep = 0; sweep < MAX_SWEEPS && offDiagonal(a) > DONE * scale; sweep++) {
      for (int p = 0; p < a.length; p++) {
        for (int q = p + 1; q < a.length; q++) {
          rotate(a, p, q);
        }
      }
    }
  }

  private static double offDiagonal(double[][] a) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      for (int j = 0; j < i; j++) {
        sum += a[i][j] * a[i][j];
      }
    }
    return sum;
  }

  private static void rotate(double[][] a, int p, int q) {
    if (a[p][q] == 0) {
      return;
    }
    double theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
    double t = Math.copySign(1, theta) / (Math.abs(theta) + Math.hypot(theta, 1));
    double c = 1 / Math.hypot(t, 1);
    double s = t * c;
    for (int k = 0; k < a.length; k++) {
      double kp = a[k][p];
      a[k][p] = c * kp - s * a[k][q];
      a[k][q] = s * kp + c * a[k][q];
    }
    for (int k = 0; k < a.length; k++) {
      double pk = a[p][k];
      a[p][k] = c * pk - s * a[q][k];
      a[q][k] = s * pk + c * a[q][k];
    }
  }
}
