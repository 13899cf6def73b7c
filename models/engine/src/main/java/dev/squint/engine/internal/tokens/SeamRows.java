package dev.squint.engine.internal.tokens;

/**
 * A token reduction as the seam at the head of a segment applies it.
 *
 * @param arriving the live rows that arrive and, after them, those that the seam merges
 * @param positions for each of these its rotary position
 * @param keptRows which of these go on, in order
 * @param merges how merged rows are made, of live rows that arrive
 * @param left the tokens that go on
 */
public record SeamRows(
    LiveTokens arriving,
    RotaryPositions positions,
    int[] keptRows,
    MergeMatrix merges,
    PositionedTokens left) {}
