package dev.squint.engine.internal.tokens;

import dev.squint.pruning.site.MergedToken;
import dev.squint.pruning.site.Scope;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.SiteContext;
import java.util.Arrays;
import java.util.List;

/**
 * What goes on from a site, in order, in live visual tokens of that site. Merged ones count after
 * those that arrive.
 *
 * @param liveVisual the visual tokens that go on
 * @param livePlaces for each of them the arriving one in whose place it stands, never descending
 * @param liveOrigins for each merged one which arriving one it descends from
 * @param merges how merged ones are made of arriving ones
 */
public record TokenReduction(
    int[] liveVisual, int[] livePlaces, int[] liveOrigins, MergeMatrix merges) {

  private static final int DROPPED = -1;

  /** All live visual tokens, as they are. */
  public static TokenReduction all(int tokens) {
    int[] all = new int[tokens];
    Arrays.setAll(all, token -> token);
    return new TokenReduction(all, all, new int[0], MergeMatrix.NONE);
  }

  /** Puts a choice into order: kept tokens at their place, added ones after their tile. */
  public static TokenReduction of(SiteContext context, Selection selection) {
    int arriving = context.visualTokens();
    List<MergedToken> merged = selection.merged();
    int[] madeAt = new int[arriving];
    Arrays.fill(madeAt, DROPPED);
    for (int kept : selection.keptVisual()) {
      madeAt[kept] = kept;
    }
    for (int i = 0; i < merged.size(); i++) {
      int origin = merged.get(i).origin();
      if (selection.keeps(origin)) {
        madeAt[origin] = arriving + i;
      }
    }
    int[] going = new int[selection.size()];
    int[] places = new int[going.length];
    int next = 0;
    for (Scope.Group tile : Scope.TILE.groups(context)) {
      for (int token = tile.from(); token < tile.to(); token++) {
        if (madeAt[token] != DROPPED) {
          places[next] = token;
          going[next++] = madeAt[token];
        }
      }
      for (int i = 0; i < merged.size(); i++) {
        int origin = merged.get(i).origin();
        if (origin >= tile.from() && origin < tile.to() && !selection.keeps(origin)) {
          places[next] = tile.to() - 1;
          going[next++] = arriving + i;
        }
      }
    }
    return new TokenReduction(
        going,
        places,
        merged.stream().mapToInt(MergedToken::origin).toArray(),
        MergeMatrix.of(merged));
  }
}
