package dev.squint.engine.internal.prune;

import dev.squint.pruning.observe.Place;
import dev.squint.pruning.site.SitePlan;
import java.util.List;

/** A site of a strategy, with what is the same in every request. */
public final class PlannedSite {

  private final SitePlan plan;
  private final List<Need> needs;
  private final List<String> observed;

  public PlannedSite(SitePlan plan) {
    this.plan = plan;
    this.needs = plan.needs().stream().map(Need::of).toList();
    this.observed = plan.needs().stream().map(Object::toString).sorted().toList();
  }

  /** What the strategy wants. */
  public SitePlan plan() {
    return plan;
  }

  List<Need> needs() {
    return needs;
  }

  /** What is observed for it, in words. */
  List<String> observed() {
    return observed;
  }

  /** Whether something is observed for it. */
  public boolean observes() {
    return !needs.isEmpty();
  }

  /** Whether something is observed for it between vision tower and decoder. */
  public boolean observesBetween() {
    return needs.stream().anyMatch(need -> need.part() == Place.Part.BETWEEN);
  }
}
