package dev.squint.pruning.spec;

import dev.squint.error.StrategyException;
import java.util.Map;

/**
 * The parameter texts of one strategy spec, read by type; what the spec leaves out takes its
 * default.
 */
public final class ParsedParameters {

  private final String strategy;
  private final Map<String, String> texts;

  public ParsedParameters(String strategy, Map<String, String> texts) {
    this.strategy = strategy;
    this.texts = Map.copyOf(texts);
  }

  /**
   * Reads a parameter.
   *
   * @param <T> its type
   * @param parameter which
   * @return the value given, or the default
   * @throws StrategyException if the text is malformed or out of range
   */
  public <T> T get(Parameter<T> parameter) {
    String text = texts.get(parameter.name());
    return text == null ? parameter.byDefault() : parameter.parse(strategy, text);
  }
}
