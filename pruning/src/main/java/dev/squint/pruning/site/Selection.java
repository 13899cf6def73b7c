package dev.squint.pruning.site;

import dev.squint.error.StrategyException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * The visual tokens that go on from a site.
 *
 * @param keptVisual indices into the live visual tokens of the site, ascending and unique; copied
 *     in and out
 * @param scores one score per live visual token, or empty if the rule has none; copied in and out
 * @param merged tokens made of several: those whose origin is kept stand in for it, the others come
 *     on top; one per origin
 * @param notes what a reader of the trace should know of this choice, one sentence each
 */
public record Selection(
    int[] keptVisual, float[] scores, List<MergedToken> merged, List<String> notes) {

  private static final float[] NO_SCORES = {};

  public Selection {
    keptVisual = keptVisual.clone();
    scores = scores.clone();
    int previous = -1;
    for (int index : keptVisual) {
      if (index <= previous) {
        throw new StrategyException(
            "a selection holds ascending unique indices from 0, but "
                + index
                + " follows "
                + previous);
      }
      previous = index;
    }
    if (scores.length > 0 && previous >= scores.length) {
      throw new StrategyException(
          "a selection keeps token "
              + previous
              + ", but only "
              + scores.length
              + " tokens are scored");
    }
    merged = List.copyOf(merged);
    notes = List.copyOf(notes);
    if (merged.stream().mapToInt(MergedToken::origin).distinct().count() < merged.size()) {
      throw new StrategyException("two merged tokens of a selection have the same origin");
    }
  }

  /**
   * Keeps tokens as they are.
   *
   * @param keptVisual ascending unique indices
   * @param scores one score per live visual token, or empty
   */
  public Selection(int[] keptVisual, float[] scores) {
    this(keptVisual, scores, List.of(), List.of());
  }

  /**
   * The same choice with tokens made of several.
   *
   * @param tokens in the order in which those whose origin is not kept are to stand
   * @return a new selection
   */
  public Selection withMerged(List<MergedToken> tokens) {
    return new Selection(keptVisual, scores, tokens, notes);
  }

  /**
   * The same choice with one more note for the trace.
   *
   * @param note a sentence without a full stop
   * @return a new selection
   */
  public Selection withNote(String note) {
    List<String> all = new ArrayList<>(notes);
    all.add(note);
    return new Selection(keptVisual, scores, merged, all);
  }

  /**
   * Keeps every token.
   *
   * @param tokens how many live visual tokens the site has
   * @return indices 0..tokens-1, no scores
   */
  public static Selection all(int tokens) {
    int[] kept = new int[tokens];
    Arrays.setAll(kept, i -> i);
    return new Selection(kept, NO_SCORES);
  }

  /**
   * Keeps tokens of a rule without scores.
   *
   * @param keptVisual ascending unique indices
   * @return the selection
   */
  public static Selection of(int[] keptVisual) {
    return new Selection(keptVisual, NO_SCORES);
  }

  /**
   * Keeps the highest scores: among equals the lower index first, NaN below everything. Linear
   * time.
   *
   * @param scores one per live visual token
   * @param count how many to keep, 0 to {@code scores.length}
   * @return the selection, in ascending order of index
   */
  public static Selection top(float[] scores, int count) {
    return new Selection(TopK.indices(scores, count), scores);
  }

  @Override
  public int[] keptVisual() {
    return keptVisual.clone();
  }

  @Override
  public float[] scores() {
    return scores.clone();
  }

  /**
   * Counts the tokens that go on.
   *
   * @return the kept ones and the {@linkplain #added() added} ones
   */
  public int size() {
    return keptVisual.length + added().size();
  }

  /**
   * The merged tokens that come on top of the kept ones.
   *
   * @return those whose origin is not kept
   */
  public List<MergedToken> added() {
    return merged.stream().filter(token -> !keeps(token.origin())).toList();
  }

  /**
   * Tells whether a token is kept, as itself or replaced by a merged one.
   *
   * @param token index into the live visual tokens of the site
   * @return whether it is among {@link #keptVisual()}
   */
  public boolean keeps(int token) {
    return Arrays.binarySearch(keptVisual, token) >= 0;
  }

  /**
   * Checks that this selection speaks of the live visual tokens of a site.
   *
   * @param live how many there are
   * @return this
   * @throws StrategyException if an index is past them or the number of scores differs
   */
  public Selection requireFits(int live) {
    if (keptVisual.length > 0 && keptVisual[keptVisual.length - 1] >= live) {
      throw new StrategyException(
          "a selection keeps token "
              + keptVisual[keptVisual.length - 1]
              + ", but only "
              + live
              + " visual tokens are alive");
    }
    for (MergedToken token : merged) {
      if (token.lastToken() >= live) {
        throw new StrategyException(
            "a selection merges token "
                + token.lastToken()
                + ", but only "
                + live
                + " visual tokens are alive");
      }
    }
    if (scores.length > 0 && scores.length != live) {
      throw new StrategyException(
          "a selection scores "
              + scores.length
              + " tokens, but "
              + live
              + " visual tokens are alive");
    }
    return this;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Selection that
        && Arrays.equals(keptVisual, that.keptVisual)
        && Arrays.equals(scores, that.scores)
        && merged.equals(that.merged)
        && notes.equals(that.notes);
  }

  @Override
  public int hashCode() {
    return Objects.hash(Arrays.hashCode(keptVisual), Arrays.hashCode(scores), merged, notes);
  }

  @Override
  public String toString() {
    return "Selection" + Arrays.toString(keptVisual) + (merged.isEmpty() ? "" : " + " + merged);
  }
}
