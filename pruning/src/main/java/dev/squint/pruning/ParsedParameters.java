package dev.squint.pruning;

import java.util.Map;
import java.util.OptionalLong;

/**
 * The parameter texts of one strategy spec, read by type; what the spec leaves out takes its
 * default.
 */
public final class ParsedParameters {

  private final String strategy;
  private final Map<String, String> texts;

  ParsedParameters(String strategy, Map<String, String> texts) {
    this.strategy = strategy;
    this.texts = Map.copyOf(texts);
  }

  /**
   * Reads a ratio.
   *
   * @param parameter which
   * @return the value given, or the default
   * @throws StrategyException if the text is no number or out of range
   */
  public double get(Parameter.Ratio parameter) {
    String text = texts.get(parameter.name());
    return text == null ? parameter.byDefault() : parameter.parse(strategy, text);
  }

  /**
   * Reads a whole number.
   *
   * @param parameter which
   * @return the value given, or the default
   * @throws StrategyException if the text is no whole number or out of range
   */
  public int get(Parameter.Whole parameter) {
    String text = texts.get(parameter.name());
    return text == null ? parameter.byDefault() : parameter.parse(strategy, text);
  }

  /**
   * Reads a seed.
   *
   * @param parameter which
   * @return the value given, or empty
   * @throws StrategyException if the text is no whole number or out of range
   */
  public OptionalLong get(Parameter.Seed parameter) {
    String text = texts.get(parameter.name());
    return text == null ? OptionalLong.empty() : parameter.parse(strategy, text);
  }

  /**
   * Reads a site.
   *
   * @param parameter which
   * @return the value given, or the default
   * @throws StrategyException if the text is no site
   */
  public Site get(Parameter.Place parameter) {
    String text = texts.get(parameter.name());
    return text == null ? parameter.byDefault() : parameter.parse(strategy, text);
  }
}
