package dev.squint.pruning.site;

import dev.squint.pruning.observe.Expression;
import java.util.Objects;
import java.util.Set;

/**
 * What a strategy does at one site.
 *
 * @param site where tokens leave
 * @param needs what must be observed before it
 * @param positions which position ids the tokens carry after it
 * @param merges whether tokens may be merged; a site that only drops them is cheaper
 * @param decision the choice
 */
public record SitePlan(
    Site site,
    Set<Expression> needs,
    PositionPolicy positions,
    boolean merges,
    SiteDecision decision) {

  public SitePlan {
    Objects.requireNonNull(site, "site");
    needs = Set.copyOf(needs);
    Objects.requireNonNull(positions, "positions");
    Objects.requireNonNull(decision, "decision");
  }

  /**
   * A site that only drops tokens.
   *
   * @param site where tokens leave
   * @param needs what must be observed before it
   * @param positions which position ids the tokens carry after it
   * @param decision the choice
   */
  public SitePlan(
      Site site, Set<Expression> needs, PositionPolicy positions, SiteDecision decision) {
    this(site, needs, positions, false, decision);
  }
}
