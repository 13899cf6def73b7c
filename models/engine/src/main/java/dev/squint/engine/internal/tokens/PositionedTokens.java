package dev.squint.engine.internal.tokens;

import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.SiteContext;

/**
 * Live tokens with their rotary positions, on their way into the decoder or between two segments.
 *
 * @param live the tokens
 * @param positions for each live row its rotary position
 * @param next the position of the first generated token
 */
public record PositionedTokens(LiveTokens live, RotaryPositions positions, long next) {

  /** A whole prompt. */
  public static PositionedTokens of(TokenLayout layout, int axes) {
    RotaryPositions positions = RotaryPositions.of(layout, axes);
    return new PositionedTokens(LiveTokens.of(layout), positions, positions.next());
  }

  /** Every row goes on as it is. */
  public SeamRows unchanged() {
    return new SeamRows(live, positions, live.allRows(), MergeMatrix.NONE, this);
  }

  /** What a reduction at a site makes of these rows. */
  public SeamRows reduced(TokenReduction reduction, PositionPolicy policy) {
    int[] keptRows = live.keptRows(reduction);
    int[] originRows = live.originRows(reduction);
    boolean compacted = policy == PositionPolicy.COMPACTED;
    LiveTokens arriving = live.extended(originRows);
    RotaryPositions extended = positions.extended(originRows);
    RotaryPositions there = compacted ? extended.compactedFor(keptRows) : extended;
    PositionedTokens left =
        new PositionedTokens(
            arriving.select(keptRows),
            there.gathered(keptRows),
            compacted ? keptRows.length : next);
    return new SeamRows(arriving, there, keptRows, live.inRows(reduction.merges()), left);
  }

  /** Rotary positions, on the first axis, of the visual tokens and of the text after them. */
  public SiteContext.Positions ofSite() {
    return new SiteContext.Positions(
        positions.first(live.visualRows()), positions.first(live.rows(Rows.TEXT_AFTER_VISUAL)));
  }
}
