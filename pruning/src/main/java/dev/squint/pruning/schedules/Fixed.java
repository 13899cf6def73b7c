package dev.squint.pruning.schedules;

import java.util.List;

/**
 * Shares of the tokens that entered the decoder, one per site: {@code rint(N * share)} stay.
 *
 * @param shares at least one, above 0 and at most 1; sites after the last share take the last one
 */
public record Fixed(List<Double> shares) implements Schedule {

  public Fixed {
    shares = List.copyOf(shares);
    if (shares.isEmpty() || shares.stream().anyMatch(share -> !(share > 0 && share <= 1))) {
      throw new IllegalArgumentException("shares are above 0 and at most 1, not " + shares);
    }
  }

  @Override
  public int keep(Step step) {
    double share = shares.get(Math.min(step.site(), shares.size() - 1));
    return (int) Math.rint(step.entered() * share);
  }
}
