package dev.squint.engine.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * Two ways to do the same thing, timed in turns (A B B A A B ...), so that a machine that slows
 * down slows both. Both warm up first, twice: ONNX Runtime's arenas grow again in a session's
 * second run, when it lays out memory by what it saw in the first.
 *
 * @param base nanoseconds of the first, run by run
 * @param other nanoseconds of the second
 */
record Pairs(List<Long> base, List<Long> other) {

  static final int WARM_UPS = 2;

  @SuppressWarnings("ReturnValueIgnored") // of warm-ups
  static Pairs measure(LongSupplier base, LongSupplier other, int pairs) {
    List<Long> first = new ArrayList<>();
    List<Long> second = new ArrayList<>();
    for (int run = 0; run < WARM_UPS; run++) {
      base.getAsLong();
      other.getAsLong();
    }
    for (int pair = 0; pair < pairs; pair++) {
      if (pair % 2 == 0) {
        first.add(base.getAsLong());
        second.add(other.getAsLong());
      } else {
        second.add(other.getAsLong());
        first.add(base.getAsLong());
      }
    }
    return new Pairs(List.copyOf(first), List.copyOf(second));
  }

  /** The second's time over the first's, pair by pair. */
  double[] ratios() {
    double[] ratios = new double[base.size()];
    Arrays.setAll(ratios, i -> (double) other.get(i) / base.get(i));
    return ratios;
  }

  static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }

  private static double medianMillis(List<Long> nanos) {
    return median(nanos.stream().mapToDouble(n -> n / 1e6).toArray());
  }

  Map<String, Object> report() {
    Map<String, Object> report = new LinkedHashMap<>();
    report.put("ratio", median(ratios()));
    report.put("ratios", ratios());
    report.put("baseMillis", medianMillis(base));
    report.put("otherMillis", medianMillis(other));
    return report;
  }
}
