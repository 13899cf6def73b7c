package dev.squint.cli.torture;

import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The table at the end of a run. */
final class Table {

  private static final String HEAD =
      "| inputs | cases | answered | refused | raw | noise | files changed | out of memory | hung | aborted | slowest, ms | most memory, MB |\n"
          + "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n";

  private final StringBuilder rows = new StringBuilder();

  /** Adds the results of a campaign. */
  void add(String name, List<CaseResult> results) {
    Map<Outcome, Integer> counts = new EnumMap<>(Outcome.class);
    results.forEach(result -> counts.merge(result.outcome(), 1, Integer::sum));
    rows.append("| %s | %d ".formatted(name, results.size()));
    for (Outcome outcome : Outcome.values()) {
      rows.append("| %d ".formatted(counts.getOrDefault(outcome, 0)));
    }
    rows.append(
        String.format(
            Locale.ROOT,
            "| %d | %d |%n",
            results.stream().mapToLong(CaseResult::millis).max().orElse(0),
            results.stream().mapToLong(CaseResult::grownKilobytes).max().orElse(0) / 1024));
  }

  @Override
  public String toString() {
    return HEAD + rows;
  }
}
