package dev.squint.pruning;

import java.util.List;
import java.util.Objects;
import java.util.function.Function;

/**
 * Makes a strategy known under a name. Found by {@link java.util.ServiceLoader}: name the class in
 * {@code META-INF/services/dev.squint.pruning.StrategyProvider} and give it a public constructor
 * without parameters.
 */
public abstract class StrategyProvider {

  private final String name;
  private final String summary;
  private final String paper;
  private final List<Parameter> parameters;
  private final Function<ParsedParameters, ? extends Strategy> maker;

  /**
   * Describes a strategy.
   *
   * @param name lower-case letters, digits and hyphens, unique among the providers
   * @param summary what the strategy does, one short sentence without a full stop
   * @param paper author, title and year, or "baseline"
   * @param parameters what it takes, in the order of the canonical spec; may be empty
   * @param maker makes it from the values given in a spec
   */
  protected StrategyProvider(
      String name,
      String summary,
      String paper,
      List<Parameter> parameters,
      Function<ParsedParameters, ? extends Strategy> maker) {
    this.name = Objects.requireNonNull(name, "name");
    this.summary = Objects.requireNonNull(summary, "summary");
    this.paper = Objects.requireNonNull(paper, "paper");
    this.parameters = List.copyOf(parameters);
    this.maker = Objects.requireNonNull(maker, "maker");
  }

  /** The name in spec strings. */
  public final String name() {
    return name;
  }

  /** What the strategy does. */
  public final String summary() {
    return summary;
  }

  /** Where the strategy comes from. */
  public final String paper() {
    return paper;
  }

  /** The parameters it takes, in the order of the canonical spec. */
  public final List<Parameter> parameters() {
    return parameters;
  }

  /**
   * Makes the strategy.
   *
   * @param given the values given in the spec, defaults filled in
   * @return the strategy
   * @throws StrategyException if a value is malformed or out of range
   */
  public final Strategy create(ParsedParameters given) {
    return maker.apply(given);
  }
}
