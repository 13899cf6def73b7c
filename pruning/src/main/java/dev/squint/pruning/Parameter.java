package dev.squint.pruning;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A parameter of a strategy: its key in spec strings, its range and default, and how its text is
 * read and written. Immutable.
 *
 * @param <T> the type of its values
 */
public final class Parameter<T> implements Component<T> {

  private static final Pattern DIGITS = Pattern.compile("[+-]?\\d+");
  private static final Pattern NUMBER =
      Pattern.compile("[+-]?(\\d+(\\.\\d*)?|\\.\\d+)([eE][+-]?\\d+)?|[+-]?(NaN|Infinity)");
  private static final String OUT_OF_RANGE = "is out of range; ";

  private final String name;
  private final String summary;
  private final String range;
  private final T byDefault;
  private final Function<String, T> reader;
  private final Function<T, String> writer;
  private final Predicate<T> allowed;
  private final Function<String, String> fault;

  /**
   * Describes a parameter.
   *
   * @param reader makes a value of its text; throws IllegalArgumentException with a fault
   * @param writer the text of a value, empty if it stands for nothing given
   * @param fault for the text of a value that is not allowed what is wrong with it, such that
   *     "choose" and the range may follow
   */
  private Parameter(
      String name,
      String summary,
      String range,
      T byDefault,
      Function<String, T> reader,
      Function<T, String> writer,
      Predicate<T> allowed,
      Function<String, String> fault) {
    this.name = Objects.requireNonNull(name, "name");
    this.summary = Objects.requireNonNull(summary, "summary");
    this.range = Objects.requireNonNull(range, "range");
    this.byDefault = Objects.requireNonNull(byDefault, "byDefault");
    this.reader = reader;
    this.writer = writer;
    this.allowed = allowed;
    this.fault = fault;
  }

  /**
   * A parameter of any type.
   *
   * @param <T> the type
   * @param name the key, lower-case letters
   * @param range the values that are allowed, a noun phrase that fits after "choose"
   * @param byDefault the value taken when the spec does not give one
   * @param reader makes a value of its text; throws {@link IllegalArgumentException} with a phrase
   *     that fits after {@code key=text}, such as "is not a colour"
   * @param writer the text of a value, which the reader reads; empty for a value that says that
   *     nothing is given
   * @param allowed which values are in range
   * @param summary what it sets, a short phrase
   * @return the parameter
   */
  public static <T> Parameter<T> of(
      String name,
      String range,
      T byDefault,
      Function<String, T> reader,
      Function<T, String> writer,
      Predicate<T> allowed,
      String summary) {
    Function<String, T> faulting =
        text -> {
          try {
            return reader.apply(text);
          } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(e.getMessage() + "; ", e);
          }
        };
    return new Parameter<>(
        name, summary, range, byDefault, faulting, writer, allowed, text -> OUT_OF_RANGE);
  }

  private static <T> Parameter<T> ranged(
      String name,
      String range,
      T byDefault,
      Function<String, T> reader,
      Function<T, String> writer,
      Predicate<T> allowed,
      String summary) {
    return new Parameter<>(
        name, summary, range, byDefault, reader, writer, allowed, text -> OUT_OF_RANGE);
  }

  /** A share of tokens to keep. */
  public static Parameter<Double> ratio(String name, double byDefault, String summary) {
    return ranged(
        name,
        "a retention ratio above 0 and at most 1",
        byDefault,
        Parameter::real,
        Object::toString,
        value -> value > 0 && value <= 1,
        summary);
  }

  /** A number from {@code min}, both ends allowed; {@code max} may be infinite. */
  public static Parameter<Double> number(
      String name, double byDefault, double min, double max, String summary) {
    return ranged(
        name,
        Double.isInfinite(max)
            ? "a number of at least " + min
            : "a number from " + min + " to " + max,
        byDefault,
        Parameter::real,
        Object::toString,
        value -> value >= min && value <= max,
        summary);
  }

  /** A whole number of at least {@code min}. */
  public static Parameter<Integer> whole(String name, int byDefault, int min, String summary) {
    return whole(name, byDefault, min, Integer.MAX_VALUE, summary);
  }

  /**
   * A whole number from {@code min} to {@code max}, which {@code Integer.MAX_VALUE} leaves open.
   */
  public static Parameter<Integer> whole(
      String name, int byDefault, int min, int max, String summary) {
    return ranged(
        name,
        max == Integer.MAX_VALUE
            ? "a whole number of at least " + min
            : "a whole number from " + min + " to " + max,
        byDefault,
        Parameter::integer,
        Object::toString,
        value -> value >= min && value <= max,
        summary);
  }

  /** A number of tokens that need not be given; given, it wins over a retention ratio. */
  public static Parameter<OptionalInt> count(String name, String summary) {
    return ranged(
        name,
        "a whole number of at least 1",
        OptionalInt.empty(),
        text -> OptionalInt.of(integer(text)),
        value -> value.isPresent() ? Integer.toString(value.getAsInt()) : "",
        value -> value.orElse(1) >= 1,
        summary);
  }

  /** The start of a random sequence; unset, the request's seed is taken. */
  public static Parameter<OptionalLong> seed(String name, String summary) {
    return ranged(
        name,
        "a whole number from " + Long.MIN_VALUE + " to " + Long.MAX_VALUE,
        OptionalLong.empty(),
        text -> OptionalLong.of(digits(text)),
        value -> value.isPresent() ? Long.toString(value.getAsLong()) : "",
        value -> true,
        summary);
  }

  /** A site: {@code vision}, or the number of the first decoder layer that runs pruned. */
  public static Parameter<Site> site(String name, Site byDefault, String summary) {
    return ranged(
        name,
        "vision, or a decoder layer of at least 1",
        byDefault,
        Parameter::site,
        Parameter::text,
        site -> !(site instanceof Site.BeforeProjector),
        summary);
  }

  /**
   * One of a few values, the first by default. Their words are those of {@link Object#toString}, in
   * lower case.
   */
  public static <T> Parameter<T> choice(String name, List<T> values, String summary) {
    List<String> words = values.stream().map(Parameter::word).toList();
    Function<String, String> fault =
        text ->
            "is not known; "
                + Suggestion.nearest(text, words)
                    .map("did you mean '%s'? Or "::formatted)
                    .orElse("");
    return new Parameter<>(
        name,
        summary,
        "one of " + String.join(", ", words),
        values.get(0),
        text -> {
          if (!words.contains(text)) {
            throw new IllegalArgumentException(fault.apply(text));
          }
          return values.get(words.indexOf(text));
        },
        Parameter::word,
        List.copyOf(values)::contains,
        fault);
  }

  /** Decoder layers, ascending, written {@code 3/7/16}; none unless given. */
  public static Parameter<List<Integer>> layers(String name, String summary) {
    return list(
        name,
        "ascending decoder layers of at least 1, joined by '/', such as 3/7/16",
        Parameter::integer,
        Parameter::ascend,
        summary);
  }

  /** Numbers in a range, one per site, written {@code 0.5/0.25/0.1}; none unless given. */
  public static Parameter<List<Double>> numbers(
      String name, double min, double max, String summary) {
    return list(
        name,
        "numbers from " + min + " to " + max + ", joined by '/'",
        Parameter::real,
        values -> values.stream().allMatch(value -> value >= min && value <= max),
        summary);
  }

  /** Numbers of tokens, one per site, written {@code 96/32}; none unless given. */
  public static Parameter<List<Integer>> counts(String name, String summary) {
    return list(
        name,
        "whole numbers of at least 1, joined by '/', such as 96/32",
        Parameter::integer,
        values -> values.stream().allMatch(value -> value >= 1),
        summary);
  }

  /** Free text without a comma, such as the path of a file; {@code what} is its range. */
  public static Parameter<Optional<String>> text(String name, String what, String summary) {
    return ranged(
        name,
        what,
        Optional.empty(),
        Optional::of,
        value -> value.orElse(""),
        value -> true,
        summary);
  }

  private static <E> Parameter<List<E>> list(
      String name,
      String range,
      Function<String, E> element,
      Predicate<List<E>> allowed,
      String summary) {
    return ranged(
        name,
        range,
        List.of(),
        text -> elements(text, element),
        Parameter::joined,
        allowed,
        summary);
  }

  /**
   * Writes several values the way a parameter of several reads them.
   *
   * @param values the values
   * @return for example {@code 3/7/16}
   */
  public static String joined(List<?> values) {
    return values.stream().map(Object::toString).collect(Collectors.joining("/"));
  }

  /**
   * The same parameter for another type of values.
   *
   * @param <U> the type
   * @param to makes such a value
   * @param from makes it back
   * @return the parameter
   */
  public <U> Parameter<U> mapped(Function<T, U> to, Function<U, T> from) {
    return new Parameter<>(
        name,
        summary,
        range,
        to.apply(byDefault),
        reader.andThen(to),
        writer.compose(from),
        value -> allowed.test(from.apply(value)),
        fault);
  }

  @Override
  public String name() {
    return name;
  }

  /** What the parameter sets. */
  public String summary() {
    return summary;
  }

  /** The values that are allowed, a noun phrase that fits after "choose". */
  public String range() {
    return range;
  }

  /** The value taken when the spec does not give one. */
  public T byDefault() {
    return byDefault;
  }

  /** The text of the default, empty if the parameter may stay unset. */
  public Optional<String> defaultValue() {
    return Optional.of(writer.apply(byDefault)).filter(text -> !text.isEmpty());
  }

  @Override
  public List<Parameter<?>> parameters() {
    return List.of(this);
  }

  @Override
  public T read(ParsedParameters given) {
    return given.get(this);
  }

  @Override
  public List<String> write(T value) {
    String text = writer.apply(value);
    return text.isEmpty() ? List.of() : List.of(name + "=" + text);
  }

  @Override
  public void check(String strategy, T value) {
    if (!allowed.test(value)) {
      String text = writer.apply(value);
      throw refused(strategy, text, fault.apply(text));
    }
  }

  T parse(String strategy, String text) {
    T value;
    try {
      value = reader.apply(text);
    } catch (IllegalArgumentException e) {
      StrategyException refused = refused(strategy, text, e.getMessage());
      refused.initCause(e.getCause());
      throw refused;
    }
    if (!allowed.test(value)) {
      throw refused(strategy, text, fault.apply(text));
    }
    return value;
  }

  private StrategyException refused(String strategy, String text, String fault) {
    return new StrategyException(
        "strategy '%s': %s=%s %schoose %s".formatted(strategy, name, text, fault, range));
  }

  private static long digits(String text) {
    if (!DIGITS.matcher(text).matches()) {
      throw new IllegalArgumentException("is not a whole number; ");
    }
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(OUT_OF_RANGE, e);
    }
  }

  private static int integer(String text) {
    long value = digits(text);
    if (value != (int) value) {
      throw new IllegalArgumentException(OUT_OF_RANGE);
    }
    return (int) value;
  }

  private static double real(String text) {
    if (!NUMBER.matcher(text).matches()) {
      throw new IllegalArgumentException("is not a number; ");
    }
    return Double.parseDouble(text);
  }

  private static Site site(String text) {
    if (text.equals("vision")) {
      return new Site.AfterVision();
    }
    if (!DIGITS.matcher(text).matches()) {
      throw new IllegalArgumentException("is not a site; ");
    }
    int layer = integer(text);
    if (layer < 1) {
      throw new IllegalArgumentException(OUT_OF_RANGE);
    }
    return new Site.BeforeLayer(layer);
  }

  private static String text(Site site) {
    if (site instanceof Site.BeforeLayer before) {
      return Integer.toString(before.layer());
    }
    return site instanceof Site.AfterVision ? "vision" : site.toString();
  }

  private static String word(Object value) {
    return value.toString().toLowerCase(Locale.ROOT);
  }

  private static boolean ascend(List<Integer> layers) {
    int previous = 0;
    for (int layer : layers) {
      if (layer <= previous) {
        return false;
      }
      previous = layer;
    }
    return true;
  }

  private static <E> List<E> elements(String text, Function<String, E> element) {
    List<E> elements = new ArrayList<>();
    for (String part : text.split("/", -1)) {
      try {
        elements.add(element.apply(part.strip()));
      } catch (IllegalArgumentException e) {
        throw part.equals(text)
            ? e
            : new IllegalArgumentException("has '" + part + "', which " + e.getMessage(), e);
      }
    }
    return List.copyOf(elements);
  }
}
