package dev.squint.pruning;

import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Pattern;

/** A parameter of a strategy: its name, type, range and default, and the reading of its text. */
public sealed interface Parameter {

  /**
   * The key in spec strings.
   *
   * @return lower-case letters
   */
  String name();

  /**
   * What the parameter sets.
   *
   * @return a short phrase
   */
  String summary();

  /**
   * The kind of value.
   *
   * @return for example "whole number"
   */
  String type();

  /**
   * The values that are allowed.
   *
   * @return a noun phrase that fits after "choose"
   */
  String range();

  /**
   * The value taken when the spec does not give one.
   *
   * @return its text, or empty if the parameter may stay unset
   */
  Optional<String> defaultValue();

  /**
   * A share of tokens to keep.
   *
   * @param name the key
   * @param byDefault the default
   * @param summary what it sets
   */
  record Ratio(String name, double byDefault, String summary) implements Parameter {

    private static final Pattern NUMBER =
        Pattern.compile("[+-]?(\\d+(\\.\\d*)?|\\.\\d+)([eE][+-]?\\d+)?|[+-]?(NaN|Infinity)");

    @Override
    public String type() {
      return "number";
    }

    @Override
    public String range() {
      return "a retention ratio above 0 and at most 1";
    }

    @Override
    public Optional<String> defaultValue() {
      return Optional.of(Double.toString(byDefault));
    }

    /**
     * Passes a value in range.
     *
     * @param strategy whom the error names
     * @param value the value
     * @return the value
     * @throws StrategyException if it is not above 0 and at most 1
     */
    public double check(String strategy, double value) {
      if (value > 0 && value <= 1) {
        return value;
      }
      throw outOfRange(strategy, this, value);
    }

    double parse(String strategy, String text) {
      if (!NUMBER.matcher(text).matches()) {
        throw new StrategyException(
            "strategy '%s': %s=%s is not a number; choose %s"
                .formatted(strategy, name, text, range()));
      }
      double value = Double.parseDouble(text);
      if (value > 0 && value <= 1) {
        return value;
      }
      throw outOfRange(strategy, this, text);
    }
  }

  /**
   * A whole number.
   *
   * @param name the key
   * @param byDefault the default
   * @param min the least value allowed
   * @param max the greatest value allowed; {@code Integer.MAX_VALUE} for no bound
   * @param summary what it sets
   */
  record Whole(String name, int byDefault, int min, int max, String summary) implements Parameter {

    @Override
    public String type() {
      return "whole number";
    }

    @Override
    public String range() {
      return max == Integer.MAX_VALUE
          ? "a whole number of at least " + min
          : "a whole number from " + min + " to " + max;
    }

    @Override
    public Optional<String> defaultValue() {
      return Optional.of(Integer.toString(byDefault));
    }

    /**
     * Passes a value in range.
     *
     * @param strategy whom the error names
     * @param value the value
     * @return the value
     * @throws StrategyException if it is below the least or above the greatest value
     */
    public int check(String strategy, int value) {
      if (value < min || value > max) {
        throw outOfRange(strategy, this, value);
      }
      return value;
    }

    int parse(String strategy, String text) {
      requireDigits(strategy, this, text);
      try {
        return check(strategy, Integer.parseInt(text));
      } catch (NumberFormatException e) {
        throw outOfRange(strategy, this, text);
      }
    }
  }

  /**
   * The start of a random sequence; unset, the request's seed is taken.
   *
   * @param name the key
   * @param summary what it sets
   */
  record Seed(String name, String summary) implements Parameter {

    @Override
    public String type() {
      return "whole number";
    }

    @Override
    public String range() {
      return "a whole number from " + Long.MIN_VALUE + " to " + Long.MAX_VALUE;
    }

    @Override
    public Optional<String> defaultValue() {
      return Optional.empty();
    }

    OptionalLong parse(String strategy, String text) {
      requireDigits(strategy, this, text);
      try {
        return OptionalLong.of(Long.parseLong(text));
      } catch (NumberFormatException e) {
        throw outOfRange(strategy, this, text);
      }
    }
  }

  /**
   * A site: {@code vision}, or the number of the first decoder layer that runs pruned.
   *
   * @param name the key
   * @param byDefault the default
   * @param summary what it sets
   */
  record Place(String name, Site byDefault, String summary) implements Parameter {

    public Place {
      Objects.requireNonNull(byDefault, "byDefault");
    }

    @Override
    public String type() {
      return "site";
    }

    @Override
    public String range() {
      return "vision, or a decoder layer of at least 1";
    }

    @Override
    public Optional<String> defaultValue() {
      return Optional.of(text(byDefault));
    }

    /**
     * Writes a site the way this parameter reads it.
     *
     * @param site the site
     * @return {@code vision} or the layer number
     */
    public static String text(Site site) {
      return site instanceof Site.BeforeLayer before ? Integer.toString(before.layer()) : "vision";
    }

    Site parse(String strategy, String text) {
      if (text.equals("vision")) {
        return new Site.AfterVision();
      }
      if (!DIGITS.matcher(text).matches()) {
        throw new StrategyException(
            "strategy '%s': %s=%s is not a site; choose %s"
                .formatted(strategy, name, text, range()));
      }
      try {
        int layer = Integer.parseInt(text);
        if (layer >= 1) {
          return new Site.BeforeLayer(layer);
        }
      } catch (NumberFormatException e) {
        throw outOfRange(strategy, this, text);
      }
      throw outOfRange(strategy, this, text);
    }
  }

  /** The text of a whole number, of any size. */
  Pattern DIGITS = Pattern.compile("[+-]?\\d+");

  private static void requireDigits(String strategy, Parameter parameter, String text) {
    if (!DIGITS.matcher(text).matches()) {
      throw new StrategyException(
          "strategy '%s': %s=%s is not a whole number; choose %s"
              .formatted(strategy, parameter.name(), text, parameter.range()));
    }
  }

  private static StrategyException outOfRange(String strategy, Parameter parameter, Object value) {
    return new StrategyException(
        "strategy '%s': %s=%s is out of range; choose %s"
            .formatted(strategy, parameter.name(), value, parameter.range()));
  }
}
