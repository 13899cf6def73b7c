package dev.squint.examples.compare;

import dev.squint.examples.report.Summary;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/**
 * Sums up what the clock said.
 *
 * @param lines all lines of costs
 */
record Measurements(List<CostLine> lines) {

  /** What a cell took, beside the unpruned one; nothing if it was not timed. */
  Optional<Summary.Measured> of(String cell, String unpruned) {
    List<CostLine.Request> own = requests(cell);
    List<CostLine.Request> whole = requests(unpruned);
    if (own.isEmpty() || whole.isEmpty()) {
      return Optional.empty();
    }
    List<CostLine.Block> blocks =
        lines.stream()
            .filter(line -> line.cell().equals(cell))
            .filter(CostLine.Block.class::isInstance)
            .map(CostLine.Block.class::cast)
            .toList();
    double peak = blocks.stream().mapToLong(CostLine.Block::peakBytes).max().orElse(0);
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
            median(whole, CostLine.Request::prefillMillis)
                / median(own, CostLine.Request::prefillMillis),
            flops(whole) / flops(own),
            median(whole, CostLine.Request::totalMillis)
                / median(own, CostLine.Request::totalMillis),
            load(blocks),
            peak > 0 ? Optional.of((long) peak) : Optional.empty(),
            joules > 0 ? Optional.of(joules / requests) : Optional.empty()));
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
