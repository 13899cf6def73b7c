package dev.squint.pruning;

import java.util.List;

/**
 * Makes a strategy known under a name. Found by {@link java.util.ServiceLoader}: name the class in
 * {@code META-INF/services/dev.squint.pruning.StrategyProvider} and give it a public constructor
 * without parameters.
 */
public interface StrategyProvider {

  /**
   * The name in spec strings.
   *
   * @return lower-case letters, digits and hyphens, unique among the providers
   */
  String name();

  /**
   * What the strategy does.
   *
   * @return one short sentence without a full stop
   */
  String summary();

  /**
   * Where the strategy comes from.
   *
   * @return author, title and year, or "baseline"
   */
  String paper();

  /**
   * The parameters it takes.
   *
   * @return in the order of the canonical spec; may be empty
   */
  List<Parameter> parameters();

  /**
   * Makes the strategy.
   *
   * @param parameters the values given in the spec, defaults filled in
   * @return the strategy
   * @throws StrategyException if a value is malformed or out of range
   */
  Strategy create(ParsedParameters parameters);
}
