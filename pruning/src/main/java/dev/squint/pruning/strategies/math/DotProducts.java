package dev.squint.pruning.strategies.math;

import dev.squint.pruning.observe.Observation;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The dot products of some tokens with each other.
 *
 * <p>Columns are taken a few at a time and turned on their side, so that one number of a token
 * meets the same number of its neighbours in a row: such loops the JIT compiler vectorises, and
 * what they read stays in the cache. Parts of equal width are divided among the threads of the
 * common pool and summed up in order; so products are symmetric, those of equal rows are equal, and
 * the numbers do not depend on how many threads there are.
 */
final class DotProducts {

  private static final int PART = 1024;
  private static final int TURNED = 64;
  private static final int TOGETHER = 16;
  private static final int UNROLLED = 4;

  private DotProducts() {}

  /**
   * Multiplies each row with each.
   *
   * @param values the rows
   * @param tokens which of them, in the order of the outcome
   * @return one row and one column per token, symmetric
   */
  static float[][] of(Observation values, int[] tokens) {
    List<float[][]> parts =
        IntStream.range(0, Math.max(1, (values.columns() + PART - 1) / PART))
            .parallel()
            .mapToObj(part -> lowerHalf(values, tokens, part * PART))
            .toList();
    float[][] products = new float[tokens.length][tokens.length];
    for (int i = 0; i < products.length; i++) {
      for (float[][] part : parts) {
        for (int j = 0; j <= i; j++) {
          products[i][j] += part[i][j];
        }
      }
      for (int j = 0; j < i; j++) {
        products[j][i] = products[i][j];
      }
    }
    return products;
  }

  private static float[][] lowerHalf(Observation values, int[] tokens, int part) {
    float[][] products = new float[tokens.length][];
    Arrays.setAll(products, i -> new float[i + 1]);
    float[][] turned = new float[TURNED][tokens.length];
    for (int from = part; from < Math.min(part + PART, values.columns()); from += TURNED) {
      turn(values, tokens, from, turned);
      for (int row = 0; row < products.length; row++) {
        for (int column = 0; column < TURNED; column += UNROLLED) {
          add(
              products[row],
              turned[column],
              turned[column + 1],
              turned[column + 2],
              turned[column + 3]);
        }
      }
    }
    return products;
  }

  /** Columns after the last are zero. */
  private static void turn(Observation values, int[] tokens, int from, float[][] turned) {
    int length = Math.min(TURNED, values.columns() - from);
    float[][] rows = new float[TOGETHER][TURNED];
    for (int first = 0; first < tokens.length; first += TOGETHER) {
      int some = Math.min(TOGETHER, tokens.length - first);
      for (int i = 0; i < some; i++) {
        values.copyRow(tokens[first + i], from, length, rows[i]);
      }
      for (int column = 0; column < TURNED; column++) {
        float[] into = turned[column];
        for (int i = 0; i < some; i++) {
          into[first + i] = rows[i][column];
        }
      }
    }
  }

  /** Adds the products of the last of some tokens with each of them. */
  private static void add(float[] products, float[] a, float[] b, float[] c, float[] d) {
    int last = products.length - 1;
    float a0 = a[last];
    float b0 = b[last];
    float c0 = c[last];
    float d0 = d[last];
    for (int i = 0; i < products.length; i++) {
      products[i] += (a0 * a[i] + b0 * b[i]) + (c0 * c[i] + d0 * d[i]);
    }
  }
}
