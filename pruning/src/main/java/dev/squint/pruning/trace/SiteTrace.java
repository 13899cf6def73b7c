package dev.squint.pruning.trace;

import dev.squint.pruning.site.Site;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * What happened at a site.
 *
 * @param site where
 * @param observed what the strategy was shown, in words; empty if it looked at nothing
 * @param before live visual tokens before
 * @param after live visual tokens after: those kept and those added
 * @param keptOriginal the tokens kept, as they are or replaced by a merged one: original visual
 *     tokens, those of the unpruned prompt; copied in and out
 * @param addedOriginal the origins of merged tokens that came on top, likewise; copied in and out
 * @param scores one per live visual token before, or empty if the rule has none; copied in and out
 * @param selectionNanos time spent deciding, in nanoseconds
 */
public record SiteTrace(
    Site site,
    List<String> observed,
    int before,
    int after,
    int[] keptOriginal,
    int[] addedOriginal,
    float[] scores,
    long selectionNanos) {

  public SiteTrace {
    Objects.requireNonNull(site, "site");
    observed = List.copyOf(observed);
    if (after > before || keptOriginal.length + addedOriginal.length != after) {
      throw new IllegalArgumentException(
          keptOriginal.length
              + " tokens kept and "
              + addedOriginal.length
              + " added do not fit "
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
    addedOriginal = addedOriginal.clone();
    scores = scores.clone();
  }

  /**
   * A site where no merged token was added.
   *
   * @param site where
   * @param observed what the strategy was shown
   * @param before live visual tokens before
   * @param after live visual tokens after
   * @param keptOriginal the tokens kept
   * @param scores one per live visual token before, or empty
   * @param selectionNanos time spent deciding, in nanoseconds
   */
  public SiteTrace(
      Site site,
      List<String> observed,
      int before,
      int after,
      int[] keptOriginal,
      float[] scores,
      long selectionNanos) {
    this(site, observed, before, after, keptOriginal, new int[0], scores, selectionNanos);
  }

  @Override
  public int[] keptOriginal() {
    return keptOriginal.clone();
  }

  @Override
  public int[] addedOriginal() {
    return addedOriginal.clone();
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
        && Arrays.equals(addedOriginal, that.addedOriginal)
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
        Arrays.hashCode(addedOriginal),
        Arrays.hashCode(scores));
  }

  @Override
  public String toString() {
    return "SiteTrace[" + site + ": " + before + " -> " + after + "]";
  }
}
