package dev.squint.pruning.observe;

import java.util.Arrays;
import java.util.Objects;

/** A small matrix observed in the network. Immutable. */
public final class Observation {

  private final int rows;
  private final int columns;
  private final float[] values;

  /**
   * Copies a matrix.
   *
   * @param rows number of rows
   * @param columns number of columns
   * @param values {@code rows * columns} values, row major
   */
  public Observation(int rows, int columns, float[] values) {
    this(values.clone(), rows, columns);
  }

  private Observation(float[] values, int rows, int columns) {
    if (rows < 0 || columns < 0 || (long) rows * columns != values.length) {
      throw new IllegalArgumentException(
          "an observation of "
              + rows
              + " x "
              + columns
              + " cannot hold "
              + values.length
              + " values");
    }
    this.rows = rows;
    this.columns = columns;
    this.values = values;
  }

  /**
   * A matrix that takes over an array, which nobody may change any more.
   *
   * @param rows number of rows
   * @param columns number of columns
   * @param values {@code rows * columns} values, row major
   */
  public static Observation over(int rows, int columns, float[] values) {
    return new Observation(values, rows, columns);
  }

  /** Number of rows. */
  public int rows() {
    return rows;
  }

  /** Number of columns. */
  public int columns() {
    return columns;
  }

  /** A copy of all values, row major. */
  public float[] values() {
    return values.clone();
  }

  /**
   * Reads one value without copying.
   *
   * @param row counted from 0
   * @param column counted from 0
   * @return the value
   */
  public float at(int row, int column) {
    Objects.checkIndex(column, columns);
    return values[row * columns + column];
  }

  /**
   * Returns a copy of one row.
   *
   * @param row counted from 0
   * @return {@link #columns()} values
   */
  public float[] row(int row) {
    Objects.checkIndex(row, rows);
    return Arrays.copyOfRange(values, row * columns, (row + 1) * columns);
  }

  /**
   * Copies one row into an array that is used again and again.
   *
   * @param row counted from 0
   * @param into takes {@link #columns()} values from its start on
   */
  public void copyRow(int row, float[] into) {
    copyRow(row, 0, columns, into);
  }

  /**
   * Copies a part of one row into an array that is used again and again.
   *
   * @param row counted from 0
   * @param column the first column
   * @param length how many columns
   * @param into takes the values from its start on
   */
  public void copyRow(int row, int column, int length, float[] into) {
    Objects.checkIndex(row, rows);
    Objects.checkFromIndexSize(column, length, columns);
    System.arraycopy(values, row * columns + column, into, 0, length);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Observation that
        && rows == that.rows
        && columns == that.columns
        && Arrays.equals(values, that.values);
  }

  @Override
  public int hashCode() {
    return 31 * (31 * rows + columns) + Arrays.hashCode(values);
  }

  @Override
  public String toString() {
    return "Observation[" + rows + " x " + columns + "]";
  }
}
