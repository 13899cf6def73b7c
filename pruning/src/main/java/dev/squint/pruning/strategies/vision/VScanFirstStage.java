package dev.squint.pruning.strategies.vision;

import dev.squint.pruning.layout.VisualSpan;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observations;
import dev.squint.pruning.site.MergedToken;
import dev.squint.pruning.site.Ranking;
import dev.squint.pruning.site.Scope;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.SiteContext;
import dev.squint.pruning.spec.Budget;
import dev.squint.pruning.strategies.math.NearestAssignment;
import dev.squint.pruning.strategies.math.TileShare;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * The first stage of {@link VScan}.
 *
 * @param budget how many tokens stay of each tile
 * @param local attention in an early layer
 * @param global attention in the last layer
 * @param features by what a token joins another
 * @param merges whether tokens join others
 * @param loses whether the windows lose what does not divide by their number
 */
record VScanFirstStage(
    Budget budget,
    Expression local,
    Expression global,
    Expression features,
    boolean merges,
    boolean loses) {

  private static final int SIDE = 4;

  Set<Expression> needs() {
    return Set.copyOf(merges ? List.of(local, global, features) : List.of(local, global));
  }

  Selection select(SiteContext context, Observations seen) {
    float[] near = seen.get(local).row(0);
    float[] far = seen.get(global).row(0);
    List<VisualSpan> spans = context.spans();
    int[] kept = new int[far.length];
    int size = 0;
    int gridless = 0;
    List<MergedToken> merged = new ArrayList<>();
    List<TileShare> shares = TileShare.of(budget, context);
    for (TileShare share : shares) {
      Scope.Group tile = share.tile();
      boolean[] stays = new boolean[tile.size()];
      int wanted = share.count();
      if (wanted < tile.size()) {
        int half = wanted / 2;
        int columns = columns(spans.subList(tile.from(), tile.to()));
        gridless += columns == 0 ? 1 : 0;
        int picked = columns == 0 ? 0 : pickLocally(part(near, tile), columns, half, stays);
        boolean exact = columns == 0 || !loses;
        pickGlobally(part(far, tile), exact ? wanted - picked : wanted - half, stays);
      } else {
        Arrays.fill(stays, true);
      }
      int[] picks = picks(stays);
      for (int pick : picks) {
        kept[size++] = tile.from() + pick;
      }
      if (merges && picks.length < tile.size()) {
        merge(seen, tile, picks, merged);
      }
    }
    Selection selection = new Selection(Arrays.copyOf(kept, size), far).withMerged(merged);
    if (gridless > 0) {
      selection =
          selection.withNote(
              "%d of %d tiles have no whole patch grid, so the global scan alone chose there"
                  .formatted(gridless, shares.size()));
    }
    return budget.noted(selection, budget.scope().groups(context));
  }

  private static float[] part(float[] values, Scope.Group tile) {
    return Arrays.copyOfRange(values, tile.from(), tile.to());
  }

  private void merge(Observations seen, Scope.Group tile, int[] picks, List<MergedToken> merged) {
    NearestAssignment joining =
        NearestAssignment.nearest(
            seen.get(features), tile, picks, NearestAssignment.others(picks, tile.size()));
    for (int i = 0; i < picks.length; i++) {
      if (joining.joiners()[i].length > 0) {
        merged.add(joining.mean(i));
      }
    }
  }

  /** Columns of the grid that the tokens of a tile form, 0 if they form none. */
  private static int columns(List<VisualSpan> spans) {
    int columns = spans.get(0).columns();
    for (int token = 0; token < spans.size(); ) {
      VisualSpan span = spans.get(token);
      int end = token + span.length();
      if (span.columns() != columns || end > spans.size() || !spans.get(end - 1).equals(span)) {
        return 0;
      }
      token = end;
    }
    return columns;
  }

  /** Picks by the local scan and counts what it found. */
  private int pickLocally(float[] scores, int columns, int count, boolean[] stays) {
    int[] window = windows(scores.length / columns, columns);
    int[] open = new int[SIDE * SIDE];
    for (int each : window) {
      open[each]++;
    }
    boolean[] more = new boolean[open.length];
    int left = count;
    for (int i = 0; i < open.length; i++) {
      more[i] = open[i] > 0 && !loses;
      long share = loses ? count / open.length : (long) count * open[i] / scores.length;
      open[i] = (int) Math.min(open[i], share);
      left -= open[i];
    }
    int picked = 0;
    for (int token : Ranking.descending(scores)) {
      int in = window[token];
      if (open[in] > 0) {
        open[in]--;
      } else if (more[in] && left > 0) {
        more[in] = false;
        left--;
      } else {
        continue;
      }
      stays[token] = true;
      picked++;
    }
    return picked;
  }

  private static int[] windows(int rows, int columns) {
    int[] window = new int[rows * columns];
    for (int token = 0; token < window.length; token++) {
      int row = token / columns * SIDE / rows;
      window[token] = row * SIDE + token % columns * SIDE / columns;
    }
    return window;
  }

  private static void pickGlobally(float[] scores, int count, boolean[] stays) {
    int left = count;
    for (int token : Ranking.descending(scores)) {
      if (left > 0 && !stays[token]) {
        stays[token] = true;
        left--;
      }
    }
  }

  private static int[] picks(boolean[] stays) {
    int[] picks = new int[stays.length];
    int size = 0;
    for (int token = 0; token < stays.length; token++) {
      if (stays[token]) {
        picks[size++] = token;
      }
    }
    return Arrays.copyOf(picks, size);
  }
}
