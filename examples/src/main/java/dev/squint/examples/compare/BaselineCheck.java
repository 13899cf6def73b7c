package dev.squint.examples.compare;

import dev.squint.adapters.DataException;
import dev.squint.examples.report.Summary;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A comparison held against an earlier one, cell by cell.
 *
 * @param margin points of the plotted metric that may be lost
 * @param speedMargin percent of the speedup that may be lost
 */
public record BaselineCheck(double margin, double speedMargin) {

  private static final double POINTS = 100;
  private static final double ROUNDING = 1e-9;

  /**
   * What came of it.
   *
   * @param lines a line per cell of both, and one for each that only one of them has
   * @param worse how many cells lost more than the margins allow
   */
  public record Outcome(List<String> lines, int worse) {}

  /** Checks the margins. */
  public BaselineCheck {
    if (!(margin >= 0) || !(speedMargin >= 0)) {
      throw new DataException("a margin cannot be negative; choose 0 or more");
    }
  }

  /**
   * Compares.
   *
   * @param old the earlier comparison
   * @param now this one
   * @return the differences
   * @throws DataException if they asked different questions or used different metrics
   */
  public Outcome compare(Summary old, Summary now) {
    if (!old.run().dataHash().equals(now.run().dataHash())) {
      throw new DataException(
          "the baseline asked other questions (%s); compare with a run on %s"
              .formatted(old.run().data(), now.run().data()));
    }
    if (!old.run().metric().equals(now.run().metric())) {
      throw new DataException(
          "the baseline was scored by %s; give --metric %s"
              .formatted(old.run().metric(), old.run().metric()));
    }
    List<String> lines = new ArrayList<>();
    if (old.run().questions() != now.run().questions()) {
      lines.add(
          "the baseline asked %d questions, this run %d"
              .formatted(old.run().questions(), now.run().questions()));
    }
    if (!old.run().modelHash().equals(now.run().modelHash())) {
      lines.add("the model's files differ from those of the baseline");
    }
    Map<String, Summary.Cell> before = byId(old);
    Map<String, Summary.Cell> after = byId(now);
    int worse = 0;
    for (Map.Entry<String, Summary.Cell> entry : before.entrySet()) {
      Summary.Cell cell = after.get(entry.getKey());
      if (cell == null) {
        lines.add("%s: not in this run".formatted(entry.getKey()));
      } else {
        worse += compare(entry.getValue(), cell, now.run().metric(), sameMachine(old, now), lines);
      }
    }
    after.keySet().stream()
        .filter(id -> !before.containsKey(id))
        .forEach(id -> lines.add("%s: not in the baseline".formatted(id)));
    return new Outcome(List.copyOf(lines), worse);
  }

  private static Map<String, Summary.Cell> byId(Summary summary) {
    Map<String, Summary.Cell> cells = new LinkedHashMap<>();
    summary.cells().forEach(cell -> cells.put(cell.id(), cell));
    return cells;
  }

  private static boolean sameMachine(Summary old, Summary now) {
    return old.machine().processor().equals(now.machine().processor())
        && old.machine().cores() == now.machine().cores()
        && old.machine().threads() == now.machine().threads();
  }

  /** Adds a line; 1 if the cell is worse than allowed. */
  private int compare(
      Summary.Cell old, Summary.Cell now, String metric, boolean sameMachine, List<String> lines) {
    Summary.Score before = old.scores().get(metric);
    Summary.Score after = now.scores().get(metric);
    if (before == null || after == null) {
      boolean lost = before != null;
      lines.add(
          "%s: %s"
              .formatted(
                  now.id(),
                  lost
                      ? "cannot run any more: " + now.refused().orElse("")
                      : "could not run before"));
      return lost ? 1 : 0;
    }
    double points = POINTS * (after.value() - before.value());
    boolean lessAccurate = points < -margin - ROUNDING;
    double faster = speed(old, now, sameMachine);
    boolean slower = faster < -speedMargin - ROUNDING;
    lines.add(
        String.format(
            Locale.ROOT,
            "%s: %s %.4g -> %.4g (%+.2f points)%s%s",
            now.id(),
            metric,
            before.value(),
            after.value(),
            points,
            Double.isNaN(faster) ? "" : String.format(Locale.ROOT, ", speed %+.1f %%", faster),
            verdict(lessAccurate, slower)));
    return lessAccurate || slower ? 1 : 0;
  }

  private static String verdict(boolean lessAccurate, boolean slower) {
    if (lessAccurate && slower) {
      return " WORSE: accuracy and speed";
    }
    return lessAccurate ? " WORSE: accuracy" : slower ? " WORSE: speed" : "";
  }

  /**
   * Change of speed in percent: of the speedup over the unpruned model, which stays on another
   * machine; of the unpruned model itself by its median time, on the same machine only.
   */
  private static double speed(Summary.Cell old, Summary.Cell now, boolean sameMachine) {
    if (old.measured().isEmpty() || now.measured().isEmpty()) {
      return Double.NaN;
    }
    if (now.id().equals(CellGrid.NONE)) {
      double before = old.measured().get().totalMillis().median();
      double after = now.measured().get().totalMillis().median();
      return sameMachine ? POINTS * (before / after - 1) : Double.NaN;
    }
    return POINTS
        * (now.measured().get().totalSpeedup().value() / old.measured().get().totalSpeedup().value()
            - 1);
  }
}
