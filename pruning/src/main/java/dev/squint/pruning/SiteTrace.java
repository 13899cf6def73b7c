package dev.squint.pruning;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * What happened at a site.
 *
 * @param site where
 * @param observed what the strategy was shown, in words; empty if it looked at nothing
 * @param before visual tokens alive before
 * @param after visual tokens alive after
 * @param keptOriginal the survivors, as ascending indices into the unpruned prompt's visual tokens;
 *     copied in and out
 * @param scores one per token alive before, or empty if the rule has none; copied in and out
 * @param selectionNanos time spent deciding, in nanoseconds
 */
public record SiteTrace(
    Site site,
    List<String> observed,
    int before,
    int after,
    int[] keptOriginal,
    float[] scores,
    long selectionNanos) {

  public SiteTrace {
    Objects.requireNonNull(site, "site");
    observed = List.copyOf(observed);
    if (after > before || keptOriginal.length != after) {
      throw new IllegalArgumentException(
          keptOriginal.length
              + " tokens kept do not fit "
              + before
              + " before and "
              + after
              + " after");
    }
    if (scores.length > 0 && scores.length != before) {
      throw new IllegalArgumentException(
          scores.length + " scores do not fit " + before + " tokens");
    }
    keptOriginal = keptOriginal.clone();
    scores = scores.clone();
  }

  @Override
  public int[] keptOriginal() {
    return keptOriginal.clone();
  }

  @Override
  public float[] scores() {
    return scores.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof SiteTrace that
        && site.equals(that.site)
        && observed.equals(that.observed)
        && before == that.before
        && after == that.after
        && selectionNanos == that.selectionNanos
        && Arrays.equals(keptOriginal, that.keptOriginal)
        && Arrays.equals(scores, that.scores);
  }

  @Override
  public int hashCode() {
    return Objects.hash(
        site,
        observed,
        before,
        after,
        selectionNanos,
        Arrays.hashCode(keptOriginal),
        Arrays.hashCode(scores));
  }

  @Override
  public String toString() {
    return "SiteTrace[" + site + ": " + before + " -> " + after + "]";
  }
}
