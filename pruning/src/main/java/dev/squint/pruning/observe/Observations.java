package dev.squint.pruning.observe;

import dev.squint.error.StrategyException;
import java.util.Map;

/** What a site's strategy asked for, as observed for one request. */
public final class Observations {

  private static final Observations NONE = new Observations(Map.of());

  private final Map<Expression, Observation> byRequest;

  private Observations(Map<Expression, Observation> byRequest) {
    this.byRequest = byRequest;
  }

  /**
   * Gathers observations.
   *
   * @param byRequest each observation under the request it answers
   * @return an immutable copy
   */
  public static Observations of(Map<Expression, Observation> byRequest) {
    return new Observations(Map.copyOf(byRequest));
  }

  /**
   * Nothing was observed.
   *
   * @return the empty observations
   */
  public static Observations none() {
    return NONE;
  }

  /**
   * Returns the answer to a request.
   *
   * @param request a member of the site plan's needs
   * @return the observation
   * @throws StrategyException if it was not observed
   */
  public Observation get(Expression request) {
    Observation observation = byRequest.get(request);
    if (observation == null) {
      throw new StrategyException(
          request + " was not observed; add it to the needs of the site plan");
    }
    return observation;
  }
}
