package dev.squint.pruning.strategies.math;

import dev.squint.pruning.observe.Observation;
import java.util.Arrays;
import java.util.List;

/**
 * Arithmetic on rows as wide as a model's hidden states.
 *
 * <p>A sum of floats keeps its order in Java, so no compiler turns a plain dot product into vector
 * instructions. Here a row is split into blocks of equal length, padded with zeros; sums run block
 * over block, at the same index of each array, and only the last block is summed up number by
 * number. Such loops the JIT compiler vectorises. Rows are divided among the threads of the common
 * pool; the numbers do not depend on how many there are.
 *
 * @param values the rows
 */
public record VectorRows(Observation values) {

  private static final int BLOCK = 512;
  private static final int STEP = 8;

  /**
   * A row in blocks.
   *
   * @param blocks an even number of blocks of equal length, a multiple of 8
   */
  public record Row(float[][] blocks) {

    private float dot(Row other, float[] sums) {
      multiply(sums, blocks[0], other.blocks[0], blocks[1], other.blocks[1]);
      for (int i = 2; i < blocks.length; i += 2) {
        multiplyAdd(sums, blocks[i], other.blocks[i], blocks[i + 1], other.blocks[i + 1]);
      }
      return total(sums);
    }

    private float norm(float[] sums) {
      return (float) Math.sqrt(dot(this, sums));
    }

    private float magnitude(float[] sums) {
      Arrays.fill(sums, 0);
      for (int i = 0; i < blocks.length; i += 2) {
        addMagnitudes(sums, blocks[i], blocks[i + 1]);
      }
      return total(sums);
    }
  }

  /** A row, copied. */
  public Row row(int index) {
    Row row = empty();
    read(index, row);
    return row;
  }

  /** For each row the sum of the magnitudes of its numbers. */
  public float[] magnitudes() {
    float[] magnitudes = new float[values.rows()];
    ParallelRows.each(
        0,
        magnitudes.length,
        (from, to) -> {
          Row row = empty();
          float[] sums = new float[row.blocks[0].length];
          for (int index = from; index < to; index++) {
            read(index, row);
            magnitudes[index] = row.magnitude(sums);
          }
        });
    return magnitudes;
  }

  /**
   * Compares rows with others of the same width.
   *
   * @return for each of the others the cosines of the rows from..to with it; 0 where one is zero
   */
  public float[][] cosines(int from, int to, List<Row> others) {
    float[][] cosines = new float[others.size()][to - from];
    ParallelRows.each(
        from,
        to,
        (first, end) -> {
          Row row = empty();
          float[] sums = new float[row.blocks[0].length];
          for (int index = first; index < end; index++) {
            read(index, row);
            float norm = row.norm(sums);
            for (int i = 0; i < cosines.length; i++) {
              cosines[i][index - from] = norm == 0 ? 0 : row.dot(others.get(i), sums) / norm;
            }
          }
        });
    for (int i = 0; i < cosines.length; i++) {
      float norm = others.get(i).norm(new float[others.get(i).blocks[0].length]);
      for (int j = 0; j < cosines[i].length; j++) {
        cosines[i][j] = norm == 0 ? 0 : cosines[i][j] / norm;
      }
    }
    return cosines;
  }

  private Row empty() {
    int half = (values.columns() + 1) / 2;
    int length = Math.min(BLOCK, Math.max(STEP, (half + STEP - 1) / STEP * STEP));
    int pairs = Math.max(1, (values.columns() + 2 * length - 1) / (2 * length));
    return new Row(new float[2 * pairs][length]);
  }

  private void read(int index, Row into) {
    int column = 0;
    for (float[] block : into.blocks) {
      int length = Math.min(block.length, values.columns() - column);
      values.copyRow(index, column, length, block);
      column += length;
    }
  }

  private static void multiply(float[] sums, float[] a, float[] b, float[] c, float[] d) {
    for (int i = 0; i < sums.length; i++) {
      sums[i] = a[i] * b[i] + c[i] * d[i];
    }
  }

  private static void multiplyAdd(float[] sums, float[] a, float[] b, float[] c, float[] d) {
    for (int i = 0; i < sums.length; i++) {
      sums[i] += a[i] * b[i] + c[i] * d[i];
    }
  }

  private static void addMagnitudes(float[] sums, float[] a, float[] b) {
    for (int i = 0; i < sums.length; i++) {
      sums[i] += Math.abs(a[i]) + Math.abs(b[i]);
    }
  }

  private static float total(float[] sums) {
    float a = 0;
    float b = 0;
    float c = 0;
    float d = 0;
    float e = 0;
    float f = 0;
    float g = 0;
    float h = 0;
    for (int i = 0; i < sums.length; i += STEP) {
      a += sums[i];
      b += sums[i + 1];
      c += sums[i + 2];
      d += sums[i + 3];
      e += sums[i + 4];
      f += sums[i + 5];
      g += sums[i + 6];
      h += sums[i + 7];
    }
    return ((a + b) + (c + d)) + ((e + f) + (g + h));
  }
}
