package dev.squint.evaluation.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * What a reader chooses between: a strategy at a budget. The draws of random selection are one
 * setting, judged by their mean; the luckiest of several draws would flatter it.
 *
 * @param name the configuration's id, of draws what their ids have in common
 * @param series what it is a point of
 * @param draws its configurations, all of which ran; more than one for random selection only
 */
public record Configuration(String name, String series, List<Summary.RunSummary> draws) {

  private static final String RANDOM = "random";

  /** Copies the list. */
  public Configuration {
    draws = List.copyOf(draws);
  }

  /** The settings of those configurations of a summary that ran, in its order. */
  public static List<Configuration> of(Summary summary) {
    Map<String, List<Summary.RunSummary>> groups = new LinkedHashMap<>();
    for (Summary.RunSummary config : summary.configs()) {
      if (config.cost().isPresent() && config.against().isPresent()) {
        groups.computeIfAbsent(group(config), name -> new ArrayList<>()).add(config);
      }
    }
    return groups.entrySet().stream()
        .map(e -> new Configuration(e.getKey(), e.getValue().get(0).series(), e.getValue()))
        .toList();
  }

  private static String group(Summary.RunSummary config) {
    return config.series().equals(RANDOM) ? config.id().replaceAll(" seed \\d+$", "") : config.id();
  }

  /** The configuration's id, or the name of the draws with their number. */
  public String id() {
    return draws.size() == 1 ? draws.get(0).id() : name + ", " + draws.size() + " seeds";
  }

  /** The mean of a figure over the draws. */
  public double mean(ToDoubleFunction<Summary.RunSummary> figure) {
    return draws.stream().mapToDouble(figure).average().orElseThrow();
  }

  /** The lowest of a figure over the draws. */
  public double least(ToDoubleFunction<Summary.RunSummary> figure) {
    return draws.stream().mapToDouble(figure).min().orElseThrow();
  }

  /** The highest of a figure over the draws. */
  public double most(ToDoubleFunction<Summary.RunSummary> figure) {
    return draws.stream().mapToDouble(figure).max().orElseThrow();
  }

  /** The mean of a metric. */
  public double score(String metric) {
    return mean(config -> config.scores().get(metric).value());
  }

  /** Share of the unpruned FLOPs of vision, prefill and decoding together. */
  public double flopsLeft() {
    return mean(config -> config.cost().orElseThrow().flopsLeft());
  }

  /** Unpruned score minus score, as a share. */
  public double drop() {
    return mean(config -> config.against().orElseThrow().drop().value());
  }
}
