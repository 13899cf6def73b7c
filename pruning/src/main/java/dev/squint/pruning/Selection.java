package dev.squint.pruning;

import java.util.Arrays;

/**
 * The visual tokens a strategy keeps at a site.
 *
 * @param keptVisual indices into the visual tokens alive at the site, ascending and unique; copied
 *     in and out
 * @param scores one score per alive token, or empty if the rule has none; copied in and out
 */
public record Selection(int[] keptVisual, float[] scores) {

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
  }

  /**
   * Keeps every token.
   *
   * @param tokens visual tokens alive at the site
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
   * @param scores one per alive token
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
   * Counts the kept tokens.
   *
   * @return the length of {@link #keptVisual()}
   */
  public int size() {
    return keptVisual.length;
  }

  /**
   * Checks that this selection speaks of the tokens alive at a site.
   *
   * @param alive visual tokens alive there
   * @return this
   * @throws StrategyException if an index is past them or the number of scores differs
   */
  public Selection requireFits(int alive) {
    if (keptVisual.length > 0 && keptVisual[keptVisual.length - 1] >= alive) {
      throw new StrategyException(
          "a selection keeps token "
              + keptVisual[keptVisual.length - 1]
              + ", but only "
              + alive
              + " visual tokens are alive");
    }
    if (scores.length > 0 && scores.length != alive) {
      throw new StrategyException(
          "a selection scores "
              + scores.length
              + " tokens, but "
              + alive
              + " visual tokens are alive");
    }
    return this;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Selection that
        && Arrays.equals(keptVisual, that.keptVisual)
        && Arrays.equals(scores, that.scores);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(keptVisual) + Arrays.hashCode(scores);
  }

  @Override
  public String toString() {
    return "Selection" + Arrays.toString(keptVisual);
  }
}
