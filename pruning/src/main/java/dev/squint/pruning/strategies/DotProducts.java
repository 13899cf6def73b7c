package dev.squint.pruning.strategies;

import dev.squint.pruning.Observation;
import java.util.stream.IntStream;

/**
 * The dot products of some tokens with each other.
 *
 * <p>Columns are taken a few at a time and turned on their side, so that one number of a token
 * meets the same number of its neighbours in a row: such loops the JIT compiler vectorises, and
 * what they read stays in the cache. Rows are divided among the threads of the common pool; each
 * product is summed up in the order of the columns, whichever thread does it, so products are
 * symmetric, equal rows have equal products, and the numbers do not depend on how many threads
 * there are.
 */
final class DotProducts {

  private static final int COLUMNS_AT_A_TIME = 64;
  private static final int UNROLLED = 4;
  private static final int ROWS_AT_A_TIME = 16;

  private DotProducts() {}

  /**
   * Multiplies each row with each.
   *
   * @param values the rows
   * @param tokens which of them, in the order of the outcome
   * @return one row and one column per token, symmetric
   */
  static float[][] of(Observation values, int[] tokens) {
    int rows = tokens.length;
    float[][] products = new float[rows][rows];
    float[][] columns = new float[COLUMNS_AT_A_TIME][rows];
    for (int from = 0; from < values.columns(); from += COLUMNS_AT_A_TIME) {
      turn(values, tokens, from, columns);
      IntStream.range(0, (rows + ROWS_AT_A_TIME - 1) / ROWS_AT_A_TIME)
          .parallel()
          .forEach(part -> add(products, columns, part * ROWS_AT_A_TIME, rows));
    }
    for (int i = 0; i < tokens.length; i++) {
      for (int j = 0; j < i; j++) {
        products[j][i] = products[i][j];
      }
    }
    return products;
  }

  /** Columns behind the last are zero. */
  private static void turn(Observation values, int[] tokens, int from, float[][] columns) {
    int length = Math.min(columns.length, values.columns() - from);
    float[] row = new float[columns.length];
    for (int token = 0; token < tokens.length; token++) {
      values.copyRow(tokens[token], from, length, row);
      for (int column = 0; column < columns.length; column++) {
        columns[column][token] = row[column];
      }
    }
  }

  /** Adds what the columns give to the lower half of the products of some rows. */
  private static void add(float[][] products, float[][] columns, int from, int rows) {
    for (int row = from; row < Math.min(from + ROWS_AT_A_TIME, rows); row++) {
      for (int column = 0; column < columns.length; column += UNROLLED) {
        add(
            products[row],
            row,
            columns[column],
            columns[column + 1],
            columns[column + 2],
            columns[column + 3]);
      }
    }
  }

  private static void add(float[] products, int row, float[] a, float[] b, float[] c, float[] d) {
    float a0 = a[row];
    float b0 = b[row];
    float c0 = c[row];
    float d0 = d[row];
    int length = row + 1;
    for (int i = 0; i < length; i++) {
      products[i] += (a0 * a[i] + b0 * b[i]) + (c0 * c[i] + d0 * d[i]);
    }
  }
}
