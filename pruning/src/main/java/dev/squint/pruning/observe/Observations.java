package dev.squint.pruning.observe;

import dev.squint.error.StrategyException;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** What a site's strategy asked for, as observed for one request. */
public final class Observations {

  private static final Observations NONE = new Observations(List.of());

  /** Few, so that looking through them costs less than the hash of an expression. */
  private final List<Answer> answers;

  private record Answer(Expression request, Observation observation) {}

  private Observations(List<Answer> answers) {
    this.answers = answers;
  }

  /**
   * Gathers observations.
   *
   * @param byRequest each observation under the request it answers
   * @return an immutable copy
   */
  public static Observations of(Map<Expression, Observation> byRequest) {
    return new Observations(
        byRequest.entrySet().stream()
            .map(entry -> new Answer(entry.getKey(), Objects.requireNonNull(entry.getValue())))
            .toList());
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
    for (Answer answer : answers) {
      if (answer.request == request) {
        return answer.observation;
      }
    }
    for (Answer answer : answers) {
      if (answer.request.equals(request)) {
        return answer.observation;
      }
    }
    throw new StrategyException(
        request + " was not observed; add it to the needs of the site plan");
  }
}
