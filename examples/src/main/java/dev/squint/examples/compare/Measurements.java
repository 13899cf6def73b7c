package dev.squint.examples.compare;

import dev.squint.examples.metrics.Bootstrap;
import dev.squint.examples.metrics.Interval;
import dev.squint.examples.report.Summary;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/**
 * Sums up what the clock said.
 *
 * @param lines all lines of costs
 * @param seed seed of the bootstrap
 */
record Measurements(List<CostLine> lines, long seed) {

  /** What a cell took, beside the unpruned one; nothing if it was not timed. */
  Optional<Summary.Measured> of(String cell, String unpruned) {
    List<CostLine.Request> own = together(requests(cell), requests(unpruned));
    List<CostLine.Request> whole = together(requests(unpruned), own);
    if (own.isEmpty() || whole.isEmpty()) {
      return Optional.empty();
    }
    List<CostLine.Block> blocks =
        lines.stream()
            .filter(line -> line.cell().equals(cell))
            .filter(CostLine.Block.class::isInstance)
            .map(CostLine.Block.class::cast)
            .toList();
    Optional<Long> peak =
        lines.stream()
            .filter(line -> line.cell().equals(cell))
            .filter(CostLine.Memory.class::isInstance)
            .map(line -> ((CostLine.Memory) line).peakBytes())
            .findFirst();
    double joules = blocks.stream().mapToDouble(CostLine.Block::joules).sum();
    int requests = blocks.stream().mapToInt(CostLine.Block::requests).sum();
    return Optional.of(
        new Summary.Measured(
            own.size(),
            spent(own, CostLine.Request::visionMillis),
            spent(own, CostLine.Request::prefillMillis),
            spent(own, CostLine.Request::selectionMillis),
            spent(own, CostLine.Request::decodeMillis),
            spent(own, CostLine.Request::totalMillis),
            speedup(own, whole, CostLine.Request::prefillMillis),
            flops(whole) / flops(own),
            speedup(own, whole, CostLine.Request::totalMillis),
            load(blocks),
            peak,
            joules > 0 ? Optional.of(joules / requests) : Optional.empty()));
  }

  /**
   * Ratio of the medians. Its interval resamples the turns, in each of which both cells were asked
   * the same question shortly after one another.
   */
  private Summary.Estimate speedup(
      List<CostLine.Request> own,
      List<CostLine.Request> whole,
      ToDoubleFunction<CostLine.Request> millis) {
    Map<String, Double> wholeByTurn = byTurn(whole, millis);
    Map<String, Double> ownByTurn = byTurn(own, millis);
    double[] pruned = ownByTurn.values().stream().mapToDouble(Double::doubleValue).toArray();
    double[] unpruned = ownByTurn.keySet().stream().mapToDouble(wholeByTurn::get).toArray();
    Interval interval =
        Bootstrap.of(
            pruned.length, seed, drawn -> medianAt(unpruned, drawn) / medianAt(pruned, drawn));
    return new Summary.Estimate(
        median(whole, millis) / median(own, millis), interval.low(), interval.high());
  }

  private static Map<String, Double> byTurn(
      List<CostLine.Request> requests, ToDoubleFunction<CostLine.Request> millis) {
    Map<String, Double> byTurn = new TreeMap<>();
    requests.forEach(request -> byTurn.put(request.turn(), millis.applyAsDouble(request)));
    return byTurn;
  }

  private static double medianAt(double[] values, int[] places) {
    return Quantiles.median(Arrays.stream(places).mapToDouble(i -> values[i]).sorted().toArray());
  }

  /** Those that were made in the same turns as others. */
  private static List<CostLine.Request> together(
      List<CostLine.Request> requests, List<CostLine.Request> others) {
    Set<String> turns = others.stream().map(CostLine.Request::turn).collect(Collectors.toSet());
    return requests.stream().filter(request -> turns.contains(request.turn())).toList();
  }

  private List<CostLine.Request> requests(String cell) {
    return lines.stream()
        .filter(line -> line.cell().equals(cell))
        .filter(CostLine.Request.class::isInstance)
        .map(CostLine.Request.class::cast)
        .toList();
  }

  private static double flops(List<CostLine.Request> requests) {
    return requests.stream().mapToLong(CostLine.Request::prefillFlops).average().orElseThrow();
  }

  private static <T> double[] sorted(List<T> all, ToDoubleFunction<T> value) {
    return all.stream().mapToDouble(value).sorted().toArray();
  }

  private static <T> double median(List<T> all, ToDoubleFunction<T> value) {
    return Quantiles.median(sorted(all, value));
  }

  private static <T> Summary.Spent spent(List<T> all, ToDoubleFunction<T> value) {
    double[] sorted = sorted(all, value);
    return new Summary.Spent(Quantiles.median(sorted), Quantiles.p95(sorted));
  }

  private static List<Summary.Load> load(List<CostLine.Block> blocks) {
    Map<Integer, List<CostLine.Block>> byCallers =
        blocks.stream()
            .collect(
                Collectors.groupingBy(CostLine.Block::callers, TreeMap::new, Collectors.toList()));
    return byCallers.entrySet().stream()
        .map(
            group ->
                new Summary.Load(
                    group.getKey(),
                    median(group.getValue(), block -> block.requests() / block.seconds()),
                    median(group.getValue(), CostLine.Block::medianMillis),
                    median(group.getValue(), CostLine.Block::p95Millis)))
        .toList();
  }
}
