package dev.squint.pruning;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
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

  /**
   * Reads a number.
   *
   * @param parameter which
   * @return the value given, or the default
   * @throws StrategyException if the text is malformed or out of range
   */
  public double get(Parameter.Number parameter) {
    String text = texts.get(parameter.name());
    return text == null ? parameter.byDefault() : parameter.parse(strategy, text);
  }

  /**
   * Reads a number of tokens.
   *
   * @param parameter which
   * @return the value given, or empty
   * @throws StrategyException if the text is malformed or out of range
   */
  public OptionalInt get(Parameter.Count parameter) {
    String text = texts.get(parameter.name());
    return text == null ? OptionalInt.empty() : parameter.parse(strategy, text);
  }

  /**
   * Reads layers.
   *
   * @param parameter which
   * @return the value given, or empty
   * @throws StrategyException if the text is malformed or out of range
   */
  public List<Integer> get(Parameter.Layers parameter) {
    String text = texts.get(parameter.name());
    return text == null ? List.of() : parameter.parse(strategy, text);
  }

  /**
   * Reads numbers.
   *
   * @param parameter which
   * @return the value given, or empty
   * @throws StrategyException if the text is malformed or out of range
   */
  public List<Double> get(Parameter.Numbers parameter) {
    String text = texts.get(parameter.name());
    return text == null ? List.of() : parameter.parse(strategy, text);
  }

  /**
   * Reads numbers of tokens.
   *
   * @param parameter which
   * @return the numbers given, or empty
   * @throws StrategyException if the text is malformed or out of range
   */
  public List<Integer> get(Parameter.Counts parameter) {
    String text = texts.get(parameter.name());
    return text == null ? List.of() : parameter.parse(strategy, text);
  }

  /**
   * Reads a word.
   *
   * @param parameter which
   * @return the word given, or the default
   * @throws StrategyException if it is none of those allowed
   */
  public String get(Parameter.Choice parameter) {
    String text = texts.get(parameter.name());
    return parameter.check(strategy, text == null ? parameter.words().get(0) : text);
  }

  /**
   * Reads text.
   *
   * @param parameter which
   * @return the text given, or empty
   */
  public Optional<String> get(Parameter.Text parameter) {
    return Optional.ofNullable(texts.get(parameter.name()));
  }

  /**
   * Reads a budget: the parameters {@code keep}, {@code tokens} and {@code per}.
   *
   * @param parameters which
   * @return the budget given, defaults filled in
   * @throws StrategyException if a value is malformed or out of range
   */
  public Budget get(Budget.Parameters parameters) {
    return new Budget(
        get(parameters.keep()),
        get(parameters.tokens()),
        Scope.valueOf(get(parameters.per()).toUpperCase(Locale.ROOT)));
  }
}
