package dev.squint.pruning.spec;

import dev.squint.error.StrategyException;

/** How many tokens a retention ratio keeps. */
public final class Retention {

  private Retention() {}

  /**
   * Rounds {@code tokens * keep} half to even, and keeps at least one token of those there are.
   *
   * @param tokens tokens to choose from
   * @param keep share to keep, above 0 and at most 1
   * @return 0 if there is no token, else 1 to {@code tokens}
   */
  public static int count(int tokens, double keep) {
    if (!(keep > 0 && keep <= 1)) {
      throw new StrategyException(
          "keep=" + keep + " is out of range; choose a retention ratio above 0 and at most 1");
    }
    return tokens == 0 ? 0 : Math.max(1, (int) Math.rint(tokens * keep));
  }
}
