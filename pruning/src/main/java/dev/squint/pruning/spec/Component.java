package dev.squint.pruning.spec;

import dev.squint.error.StrategyException;
import java.util.List;

/**
 * A component of a strategy's record as its spec gives it: one {@link Parameter}, or several that
 * make one value together, such as {@link Budget.Parameters}.
 *
 * @param <T> the component's type, boxed
 */
public interface Component<T> {

  /**
   * The name of the record's component.
   *
   * @return that in the record's header
   */
  String name();

  /**
   * The parameters it is read from.
   *
   * @return none for what the spec cannot set
   */
  List<Parameter<?>> parameters();

  /**
   * Makes the value.
   *
   * @param given what the spec gives
   * @return the value, defaults filled in
   * @throws StrategyException if a text is malformed or out of range
   */
  T read(ParsedParameters given);

  /**
   * Writes the value the way it is read.
   *
   * @param value the value
   * @return texts {@code key=value}; none for what is left unset
   */
  List<String> write(T value);

  /**
   * Checks a value that need not come from a spec. Does nothing by default, for values that check
   * themselves.
   *
   * @param strategy whom the error names
   * @param value the value
   * @throws StrategyException if it is out of range
   */
  default void check(String strategy, T value) {}

  /**
   * A component that a name stands for and no parameter sets, where one record has several names.
   *
   * @param <T> its type
   * @param name the name of the record's component
   * @param value its value
   * @return the component
   */
  static <T> Component<T> fixed(String name, T value) {
    return new Component<>() {

      @Override
      public String name() {
        return name;
      }

      @Override
      public List<Parameter<?>> parameters() {
        return List.of();
      }

      @Override
      public T read(ParsedParameters given) {
        return value;
      }

      @Override
      public List<String> write(T ignored) {
        return List.of();
      }
    };
  }
}
