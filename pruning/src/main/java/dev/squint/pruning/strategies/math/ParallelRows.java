package dev.squint.pruning.strategies.math;

import java.util.stream.IntStream;

/**
 * Rows divided among the threads of the common pool, for work on one row that does not touch what
 * another's does: so the outcome does not depend on how many threads there are.
 */
public final class ParallelRows {

  private static final int ROWS_AT_A_TIME = 64;

  private ParallelRows() {}

  /** Work on some neighbouring rows. */
  public interface Part {

    /**
     * Does it.
     *
     * @param from the first row
     * @param to the first after them
     */
    void compute(int from, int to);
  }

  /**
   * Works on all rows of a range, in any order.
   *
   * @param from the first row
   * @param to the first after them
   * @param part what is done to some of them
   */
  public static void each(int from, int to, Part part) {
    IntStream.range(0, (to - from + ROWS_AT_A_TIME - 1) / ROWS_AT_A_TIME)
        .map(i -> from + i * ROWS_AT_A_TIME)
        .parallel()
        .forEach(start -> part.compute(start, Math.min(start + ROWS_AT_A_TIME, to)));
  }
}
