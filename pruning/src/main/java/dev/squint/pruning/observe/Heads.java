package dev.squint.pruning.observe;

/** What becomes of attention heads. */
public enum Heads {
  /** Their mean. */
  AVERAGED,
  /** Each of them. */
  EACH
}
