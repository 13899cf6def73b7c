package dev.squint.pruning.schedules;

import java.util.Arrays;

/**
 * The fewest tokens whose scores, taken from the highest down, sum up to a share of all scores:
 * ZipVL's and Twilight's rule (He et al., "ZipVL", 2024; Lin et al., "Twilight", 2025). Negative
 * scores and those that are not a number count as 0, an infinite one as the whole; if all are 0
 * every token stays.
 *
 * @param mass the share, above 0 and at most 1
 */
public record TopP(double mass) implements Schedule {

  public TopP {
    if (!(mass > 0 && mass <= 1)) {
      throw new IllegalArgumentException("a mass is above 0 and at most 1, not " + mass);
    }
  }

  @Override
  public int keep(Step step) {
    float[] descending = step.scores().clone();
    double total = 0;
    for (int i = 0; i < descending.length; i++) {
      descending[i] = descending[i] > 0 ? Math.min(descending[i], Float.MAX_VALUE) : 0;
      total += descending[i];
    }
    Arrays.sort(descending);
    double sum = 0;
    for (int kept = 1; kept <= descending.length; kept++) {
      sum += descending[descending.length - kept];
      if (total > 0 && sum >= mass * total) {
        return kept;
      }
    }
    return descending.length;
  }
}
