package dev.squint.pruning.schedules;

import java.util.List;

/**
 * Numbers of tokens, one per site.
 *
 * @param counts at least one, each at least 1; sites after the last count take the last one
 */
public record Counts(List<Integer> counts) implements Schedule {

  public Counts {
    counts = List.copyOf(counts);
    if (counts.isEmpty() || counts.stream().anyMatch(count -> count < 1)) {
      throw new IllegalArgumentException("counts are at least 1, not " + counts);
    }
  }

  @Override
  public int keep(Step step) {
    return counts.get(Math.min(step.site(), counts.size() - 1));
  }
}
