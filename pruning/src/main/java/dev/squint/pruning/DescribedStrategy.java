package dev.squint.pruning;

/**
 * A strategy with a descriptor, which knows its name and writes its spec: what a record that is
 * asked for by name implements.
 */
public interface DescribedStrategy extends Strategy {

  /**
   * The descriptor.
   *
   * @return the same at all times
   */
  StrategyType<?> type();

  @Override
  default String name() {
    return type().name();
  }

  @Override
  default String spec() {
    return type().spec(this);
  }
}
