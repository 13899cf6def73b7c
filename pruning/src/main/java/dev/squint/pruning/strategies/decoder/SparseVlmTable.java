package dev.squint.pruning.strategies.decoder;

import java.util.List;

/** The counts that SparseVLM's code keeps at its three sites, for 576 visual tokens. */
enum SparseVlmTable {
  /**
   * Version 1.5, to which recycled tokens are added. Its table has no row for 96: that came with
   * version 2, which runs the rows of 1.5 unless it is switched to its own.
   */
  FIRST(new int[][] {{300, 200, 110}, {303, 110, 36}, {238, 48, 26}, {66, 30, 17}}),
  /** Version 2, without recycling. */
  PLUS(new int[][] {{300, 200, 118}, {238, 108, 60}, {246, 54, 28}, {66, 34, 20}});

  /** The rows, named by the average the code states. */
  static final List<String> BUDGETS = List.of("192", "128", "96", "64");

  private static final double TOKENS = 576;

  private final int[][] counts;

  SparseVlmTable(int[][] counts) {
    this.counts = counts;
  }

  /** Tokens kept at a site; sites after the third keep as many as the third. */
  int count(String budget, int site, int entered) {
    int[] row = counts[BUDGETS.indexOf(budget)];
    return (int) Math.rint(row[Math.min(site, row.length - 1)] * entered / TOKENS);
  }
}
