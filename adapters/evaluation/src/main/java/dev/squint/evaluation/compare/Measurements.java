package dev.squint.evaluation.compare;

import dev.squint.evaluation.metrics.Bootstrap;
import dev.squint.evaluation.metrics.Interval;
import dev.squint.evaluation.report.Summary;
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
record Measurements(List<CostRecord> lines, long seed) {

  /** What a configuration took, next to the unpruned one; nothing if it was not timed. */
  Optional<Summary.Measured> of(String config, String unpruned) {
    List<CostRecord.Request> own = together(requests(config), requests(unpruned));
    List<CostRecord.Request> whole = together(requests(unpruned), own);
    if (own.isEmpty() || whole.isEmpty()) {
      return Optional.empty();
    }
    List<CostRecord.Block> blocks =
        lines.stream()
            .filter(line -> line.config().equals(config))
            .filter(CostRecord.Block.class::isInstance)
            .map(CostRecord.Block.class::cast)
            .toList();
    Optional<Long> peak =
        lines.stream()
            .filter(line -> line.config().equals(config))
            .filter(CostRecord.Memory.class::isInstance)
            .map(line -> ((CostRecord.Memory) line).peakBytes())
            .findFirst();
    double joules = blocks.stream().mapToDouble(CostRecord.Block::joules).sum();
    int requests = blocks.stream().mapToInt(CostRecord.Block::requests).sum();
    return Optional.of(
        new Summary.Measured(
            own.size(),
            spent(own, CostRecord.Request::visionMillis),
            spent(own, CostRecord.Request::prefillMillis),
            spent(own, CostRecord.Request::selectionMillis),
            spent(own, CostRecord.Request::decodeMillis),
            spent(own, CostRecord.Request::totalMillis),
            speedup(own, whole, CostRecord.Request::prefillMillis),
            flops(whole) / flops(own),
            speedup(own, whole, CostRecord.Request::totalMillis),
            load(blocks),
            peak,
            joules > 0 ? Optional.of(joules / requests) : Optional.empty()));
  }

  /**
   * Ratio of the medians. Its interval resamples the turns, in each of which both configurations
   * were asked the same question shortly after one another.
   */
  private Summary.Estimate speedup(
      List<CostRecord.Request> own,
      List<CostRecord.Request> whole,
      ToDoubleFunction<CostRecord.Request> millis) {
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
      List<CostRecord.Request> requests, ToDoubleFunction<CostRecord.Request> millis) {
    Map<String, Double> byTurn = new TreeMap<>();
    requests.forEach(request -> byTurn.put(request.turn(), millis.applyAsDouble(request)));
    return byTurn;
  }

  private static double medianAt(double[] values, int[] places) {
    return Quantiles.median(Arrays.stream(places).mapToDouble(i -> values[i]).sorted().toArray());
  }

  /** Those that were made in the same turns as others. */
  private static List<CostRecord.Request> together(
      List<CostRecord.Request> requests, List<CostRecord.Request> others) {
    Set<String> turns = others.stream().map(CostRecord.Request::turn).collect(Collectors.toSet());
    return requests.stream().filter(request -> turns.contains(request.turn())).toList();
  }

  private List<CostRecord.Request> requests(String config) {
    return lines.stream()
        .filter(line -> line.config().equals(config))
        .filter(CostRecord.Request.class::isInstance)
        .map(CostRecord.Request.class::cast)
        .toList();
  }

  private static double flops(List<CostRecord.Request> requests) {
    return requests.stream().mapToLong(CostRecord.Request::prefillFlops).average().orElseThrow();
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

  private static List<Summary.Load> load(List<CostRecord.Block> blocks) {
    Map<Integer, List<CostRecord.Block>> byCallers =
        blocks.stream()
            .collect(
                Collectors.groupingBy(
                    CostRecord.Block::callers, TreeMap::new, Collectors.toList()));
    return byCallers.entrySet().stream()
        .map(
            group ->
                new Summary.Load(
                    group.getKey(),
                    median(group.getValue(), block -> block.requests() / block.seconds()),
                    median(group.getValue(), CostRecord.Block::medianMillis),
                    median(group.getValue(), CostRecord.Block::p95Millis)))
        .toList();
  }
}
