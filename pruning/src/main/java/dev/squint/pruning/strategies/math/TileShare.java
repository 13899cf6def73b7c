package dev.squint.pruning.strategies.math;

import dev.squint.pruning.site.Scope;
import dev.squint.pruning.site.SiteContext;
import dev.squint.pruning.spec.Budget;
import java.util.ArrayList;
import java.util.List;

/**
 * What a budget leaves of one tile or frame, for rules that can compare the tokens of a tile only.
 * Tiles that share a budget share its count in proportion to their tokens.
 *
 * @param tile the tokens
 * @param count how many of them stay
 */
public record TileShare(Scope.Group tile, int count) {

  /** The tiles alive, in order; the counts of a group add up to the budget's count for it. */
  public static List<TileShare> of(Budget budget, SiteContext context) {
    List<Scope.Group> tiles = Scope.TILE.groups(context);
    List<TileShare> shares = new ArrayList<>(tiles.size());
    int next = 0;
    for (Scope.Group group : budget.scope().groups(context)) {
      long count = budget.count(group.size());
      for (; next < tiles.size() && tiles.get(next).from() < group.to(); next++) {
        Scope.Group tile = tiles.get(next);
        long before = count * (tile.from() - group.from()) / group.size();
        long after = count * (tile.to() - group.from()) / group.size();
        shares.add(new TileShare(tile, (int) (after - before)));
      }
    }
    return shares;
  }
}
