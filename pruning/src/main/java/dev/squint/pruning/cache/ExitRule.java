package dev.squint.pruning.cache;

import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observations;
import java.util.Set;

/**
 * Tells when text has taken from the image what it needs, so that all visual tokens may leave: the
 * hook for rules of one's own, such as a learned gate (Wu et al., "Accelerating Multimodal Large
 * Language Models via Dynamic Visual-Token Exit and the Empirical Findings", 2024). Immutable and
 * safe for use from many threads.
 */
public interface ExitRule {

  /**
   * What the rule looks at.
   *
   * @param layer the decoder layer before which tokens might leave, counted from 0
   * @return observations that can be made there
   */
  Set<Expression> needs(int layer);

  /**
   * Decides.
   *
   * @param layer the decoder layer before which tokens might leave
   * @param seen what {@link #needs} asked for
   * @return whether all visual tokens leave
   */
  boolean exits(int layer, Observations seen);

  /**
   * Writes the rule for traces, where it stands after {@code exit:}.
   *
   * @return a short text
   */
  @Override
  String toString();
}
