package dev.squint.evaluation.report;

import dev.squint.evaluation.internal.ResultFile;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Writes what a comparison says into a folder. */
public final class Report {

  private Report() {}

  /**
   * Writes tables, plots and page; tables alone where no cost is known, since both show accuracy
   * against cost.
   *
   * @param folder where to; it exists
   * @param summary the figures
   * @param gallery questions to show
   */
  public static void write(Path folder, Summary summary, List<GalleryItem> gallery) {
    new ResultFile(folder.resolve(SummaryFile.NAME)).write(SummaryFile.bytes(summary));
    new ResultFile(folder.resolve(SummaryTable.NAME)).write(SummaryTable.bytes(summary));
    boolean costs = summary.configs().stream().anyMatch(config -> config.cost().isPresent());
    Map<String, byte[]> drawn = new LinkedHashMap<>();
    if (costs) {
      drawn.put(Page.NAME, new Page(summary, gallery).bytes());
      drawn.putAll(new Plots(summary).files());
    }
    drawn.forEach((name, bytes) -> new ResultFile(folder.resolve(name)).write(bytes));
    Stream.concat(Stream.of(Page.NAME), Plots.NAMES.stream())
        .filter(name -> !drawn.containsKey(name))
        .forEach(name -> new ResultFile(folder.resolve(name)).delete());
  }
}
