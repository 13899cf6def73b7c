package dev.squint.pruning.site;

/** Which position ids the tokens carry after a site. */
public enum PositionPolicy {
  /**
   * Kept tokens keep their ids and the gaps stay; decoding continues at the unpruned prompt's
   * length.
   */
  ORIGINAL,
  /**
   * Ids 0..n'-1 are given anew; decoding continues at the pruned prompt's length. Where ids are
   * moments, rows and columns (mRoPE) they cannot be: there kept tokens keep theirs, as with {@link
   * #ORIGINAL} and in published ports of such methods to Qwen-VL.
   */
  COMPACTED
}
