package dev.squint.pruning;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

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
      double value = number(strategy, this, text);
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

  /**
   * A number in a range, both ends allowed.
   *
   * @param name the key
   * @param byDefault the default
   * @param min the least value allowed
   * @param max the greatest value allowed
   * @param summary what it sets
   */
  record Number(String name, double byDefault, double min, double max, String summary)
      implements Parameter {

    @Override
    public String type() {
      return "number";
    }

    @Override
    public String range() {
      return Double.isInfinite(max)
          ? "a number of at least " + min
          : "a number from " + min + " to " + max;
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
     * @throws StrategyException if it is below the least or above the greatest value
     */
    public double check(String strategy, double value) {
      if (value >= min && value <= max) {
        return value;
      }
      throw outOfRange(strategy, this, value);
    }

    double parse(String strategy, String text) {
      return check(strategy, number(strategy, this, text));
    }
  }

  /**
   * A number of tokens that need not be given; given, it wins over a retention ratio.
   *
   * @param name the key
   * @param summary what it sets
   */
  record Count(String name, String summary) implements Parameter {

    @Override
    public String type() {
      return "whole number";
    }

    @Override
    public String range() {
      return "a whole number of at least 1";
    }

    @Override
    public Optional<String> defaultValue() {
      return Optional.empty();
    }

    OptionalInt parse(String strategy, String text) {
      return OptionalInt.of(
          new Whole(name, 1, 1, Integer.MAX_VALUE, summary).parse(strategy, text));
    }
  }

  /**
   * One of a few words.
   *
   * @param name the key
   * @param words those allowed; the first is the default
   * @param summary what it sets
   */
  record Choice(String name, List<String> words, String summary) implements Parameter {

    public Choice {
      words = List.copyOf(words);
    }

    @Override
    public String type() {
      return "word";
    }

    @Override
    public String range() {
      return "one of " + String.join(", ", words);
    }

    @Override
    public Optional<String> defaultValue() {
      return Optional.of(words.get(0));
    }

    /**
     * Passes a word that is allowed.
     *
     * @param strategy whom the error names
     * @param word the word
     * @return the word
     * @throws StrategyException if it is none of those
     */
    public String check(String strategy, String word) {
      if (words.contains(word)) {
        return word;
      }
      throw new StrategyException(
          "strategy '%s': %s=%s is not known; %schoose %s"
              .formatted(
                  strategy,
                  name,
                  word,
                  Suggestion.nearest(word, words)
                      .map("did you mean '%s'? Or "::formatted)
                      .orElse(""),
                  range()));
    }
  }

  /**
   * Decoder layers, ascending, written {@code 3/7/16}.
   *
   * @param name the key
   * @param summary what it sets, and what is taken if it is left out
   */
  record Layers(String name, String summary) implements Parameter {

    @Override
    public String type() {
      return "layers";
    }

    @Override
    public String range() {
      return "ascending decoder layers of at least 1, joined by '/', such as 3/7/16";
    }

    @Override
    public Optional<String> defaultValue() {
      return Optional.empty();
    }

    /**
     * Passes ascending layers.
     *
     * @param strategy whom the error names
     * @param layers the layers; may be empty, for the default
     * @return an immutable copy
     * @throws StrategyException if they do not ascend from 1
     */
    public List<Integer> check(String strategy, List<Integer> layers) {
      int previous = 0;
      for (int layer : layers) {
        if (layer <= previous) {
          throw outOfRange(strategy, this, text(layers));
        }
        previous = layer;
      }
      return List.copyOf(layers);
    }

    /**
     * Writes layers the way this parameter reads them.
     *
     * @param values the layers
     * @return for example {@code 3/7/16}
     */
    public static String text(List<?> values) {
      return values.stream().map(Object::toString).collect(Collectors.joining("/"));
    }

    List<Integer> parse(String strategy, String text) {
      List<Integer> layers = new ArrayList<>();
      for (String part : text.split("/", -1)) {
        layers.add(new Whole(name, 1, 1, Integer.MAX_VALUE, summary).parse(strategy, part.strip()));
      }
      return check(strategy, layers);
    }
  }

  /**
   * Numbers, one per site, written {@code 0.5/0.25/0.1}.
   *
   * @param name the key
   * @param min the least value allowed
   * @param max the greatest value allowed
   * @param summary what it sets, and what is taken if it is left out
   */
  record Numbers(String name, double min, double max, String summary) implements Parameter {

    @Override
    public String type() {
      return "numbers";
    }

    @Override
    public String range() {
      return "numbers from " + min + " to " + max + ", joined by '/'";
    }

    @Override
    public Optional<String> defaultValue() {
      return Optional.empty();
    }

    /**
     * Passes numbers in range.
     *
     * @param strategy whom the error names
     * @param values the numbers; may be empty, for the default
     * @return an immutable copy
     * @throws StrategyException if one is out of range
     */
    public List<Double> check(String strategy, List<Double> values) {
      for (double value : values) {
        new Number(name, min, min, max, summary).check(strategy, value);
      }
      return List.copyOf(values);
    }

    List<Double> parse(String strategy, String text) {
      List<Double> values = new ArrayList<>();
      for (String part : text.split("/", -1)) {
        values.add(number(strategy, this, part.strip()));
      }
      return check(strategy, values);
    }
  }

  /**
   * Numbers of tokens, one per site, written {@code 96/32}; given, they win over retention ratios.
   *
   * @param name the key
   * @param summary what it sets
   */
  record Counts(String name, String summary) implements Parameter {

    @Override
    public String type() {
      return "whole numbers";
    }

    @Override
    public String range() {
      return "whole numbers of at least 1, joined by '/', such as 96/32";
    }

    @Override
    public Optional<String> defaultValue() {
      return Optional.empty();
    }

    /**
     * Passes numbers of tokens.
     *
     * @param strategy whom the error names
     * @param counts the numbers; may be empty
     * @return an immutable copy
     * @throws StrategyException if one is below 1
     */
    public List<Integer> check(String strategy, List<Integer> counts) {
      for (int count : counts) {
        if (count < 1) {
          throw outOfRange(strategy, this, Layers.text(counts));
        }
      }
      return List.copyOf(counts);
    }

    List<Integer> parse(String strategy, String text) {
      List<Integer> counts = new ArrayList<>();
      for (String part : text.split("/", -1)) {
        counts.add(new Whole(name, 1, 1, Integer.MAX_VALUE, summary).parse(strategy, part.strip()));
      }
      return check(strategy, counts);
    }
  }

  /**
   * Free text without a comma, such as the path of a file.
   *
   * @param name the key
   * @param what what the text is, a noun phrase
   * @param summary what it sets
   */
  record Text(String name, String what, String summary) implements Parameter {

    @Override
    public String type() {
      return "text";
    }

    @Override
    public String range() {
      return what;
    }

    @Override
    public Optional<String> defaultValue() {
      return Optional.empty();
    }
  }

  /** The text of a whole number, of any size. */
  Pattern DIGITS = Pattern.compile("[+-]?\\d+");

  /** The text of a number. */
  Pattern NUMBER =
      Pattern.compile("[+-]?(\\d+(\\.\\d*)?|\\.\\d+)([eE][+-]?\\d+)?|[+-]?(NaN|Infinity)");

  private static double number(String strategy, Parameter parameter, String text) {
    if (!NUMBER.matcher(text).matches()) {
      throw new StrategyException(
          "strategy '%s': %s=%s is not a number; choose %s"
              .formatted(strategy, parameter.name(), text, parameter.range()));
    }
    return Double.parseDouble(text);
  }

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
