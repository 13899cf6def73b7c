package dev.squint.examples.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * What a reader chooses between: a strategy at a budget. The draws of random selection are one
 * setting, judged by their mean; the luckiest of several draws would flatter it.
 *
 * @param name the cell's id, of draws what their ids have in common
 * @param series what it is a point of
 * @param draws its cells, all of which ran; more than one for random selection only
 */
public record Setting(String name, String series, List<Summary.Cell> draws) {

  private static final String RANDOM = "random";

  /** Copies the list. */
  public Setting {
    draws = List.copyOf(draws);
  }

  /** The settings of those cells of a summary that ran, in its order. */
  public static List<Setting> of(Summary summary) {
    Map<String, List<Summary.Cell>> groups = new LinkedHashMap<>();
    for (Summary.Cell cell : summary.cells()) {
      if (cell.cost().isPresent() && cell.against().isPresent()) {
        groups.computeIfAbsent(group(cell), name -> new ArrayList<>()).add(cell);
      }
    }
    return groups.entrySet().stream()
        .map(e -> new Setting(e.getKey(), e.getValue().get(0).series(), e.getValue()))
        .toList();
  }

  private static String group(Summary.Cell cell) {
    return cell.series().equals(RANDOM) ? cell.id().replaceAll(" seed \\d+$", "") : cell.id();
  }

  /** The cell's id, or the name of the draws with their number. */
  public String id() {
    return draws.size() == 1 ? draws.get(0).id() : name + ", " + draws.size() + " seeds";
  }

  /** The mean of a figure over the draws. */
  public double mean(ToDoubleFunction<Summary.Cell> figure) {
    return draws.stream().mapToDouble(figure).average().orElseThrow();
  }

  /** The lowest of a figure over the draws. */
  public double least(ToDoubleFunction<Summary.Cell> figure) {
    return draws.stream().mapToDouble(figure).min().orElseThrow();
  }

  /** The highest of a figure over the draws. */
  public double most(ToDoubleFunction<Summary.Cell> figure) {
    return draws.stream().mapToDouble(figure).max().orElseThrow();
  }

  /** The mean of a metric. */
  public double score(String metric) {
    return mean(cell -> cell.scores().get(metric).value());
  }

  /** Share of the unpruned FLOPs of vision, prefill and decoding together. */
  public double flopsLeft() {
    return mean(cell -> cell.cost().orElseThrow().flopsLeft());
  }

  /** Unpruned score minus score, as a share. */
  public double drop() {
    return mean(cell -> cell.against().orElseThrow().drop().value());
  }
}
