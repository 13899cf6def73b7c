package dev.squint.examples.report;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Writes what a comparison says into a folder. */
public final class Report {

  private Report() {}

  /**
   * Writes tables, plots and page.
   *
   * @param folder where to; it exists
   * @param summary the figures
   * @param gallery questions to show
   */
  public static void write(Path folder, Summary summary, List<Picked> gallery) {
    new WholeFile(folder.resolve(SummaryFile.NAME)).write(SummaryFile.bytes(summary));
    new WholeFile(folder.resolve(SummaryTable.NAME)).write(SummaryTable.bytes(summary));
    new WholeFile(folder.resolve(Page.NAME)).write(new Page(summary, gallery).bytes());
    Map<String, byte[]> plots = new Plots(summary).files();
    plots.forEach((name, bytes) -> new WholeFile(folder.resolve(name)).write(bytes));
    Plots.NAMES.stream()
        .filter(name -> !plots.containsKey(name))
        .forEach(name -> new WholeFile(folder.resolve(name)).delete());
  }
}
