package dev.squint.pruning.spec;

import dev.squint.error.StrategyException;
import dev.squint.pruning.site.Site;
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
  private static final String OUT_OF_RANGE = "is out of range";
  private static final String NOT_KNOWN = "is not known";

  private final String name;
  private final String summary;
  private final String range;
  private final T byDefault;
  private final Function<String, T> reader;
  private final Function<T, String> writer;
  private final Predicate<T> allowed;
  private final List<String> words;

  private Parameter(
      String name,
      String summary,
      String range,
      T byDefault,
      Function<String, T> reader,
      Function<T, String> writer,
      Predicate<T> allowed,
      List<String> words) {
    this.name = Objects.requireNonNull(name, "name");
    this.summary = Objects.requireNonNull(summary, "summary");
    this.range = Objects.requireNonNull(range, "range");
    this.byDefault = Objects.requireNonNull(byDefault, "byDefault");
    this.reader = Objects.requireNonNull(reader, "reader");
    this.writer = Objects.requireNonNull(writer, "writer");
    this.allowed = Objects.requireNonNull(allowed, "allowed");
    this.words = words;
  }

  /**
   * A parameter of any type, written as {@link Object#toString} does unless {@link #written} says
   * otherwise.
   *
   * @param <T> the type
   * @param name the key, lower-case letters
   * @param byDefault the value taken when the spec does not give one
   * @param range the values that are allowed, a noun phrase that fits after "choose"
   * @param allowed which values are in range
   * @param reader makes a value of its text; throws {@link IllegalArgumentException} with a phrase
   *     that fits after {@code key=text}, such as "is not a colour"
   * @param summary what it sets, a short phrase
   * @return the parameter
   */
  public static <T> Parameter<T> of(
      String name,
      T byDefault,
      String range,
      Predicate<T> allowed,
      Function<String, T> reader,
      String summary) {
    return new Parameter<>(
        name, summary, range, byDefault, reader, Object::toString, allowed, List.of());
  }

  /**
   * The same parameter, written otherwise.
   *
   * @param writer the text of a value, which is read back as an equal one; empty for a value that
   *     says that nothing is given
   * @return the parameter
   */
  public Parameter<T> written(Function<T, String> writer) {
    return new Parameter<>(name, summary, range, byDefault, reader, writer, allowed, words);
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
    Predicate<U> fits = value -> allowed.test(from.apply(value));
    U usual = to.apply(byDefault);
    return new Parameter<>(
        name, summary, range, usual, reader.andThen(to), writer.compose(from), fits, words);
  }

  /** A share of tokens to keep, above 0 and at most 1. */
  public static Parameter<Double> ratio(String name, double byDefault, String summary) {
    String range = "a retention ratio above 0 and at most 1";
    return of(name, byDefault, range, share -> share > 0 && share <= 1, Parameter::real, summary);
  }

  /** A number from {@code min} to {@code max}, which may be infinite. */
  public static Parameter<Double> number(
      String name, double byDefault, double min, double max, String summary) {
    String range = "a number " + (Double.isInfinite(max) ? "of at least " + min : from(min, max));
    return of(name, byDefault, range, n -> n >= min && n <= max, Parameter::real, summary);
  }

  /** A whole number of at least {@code min}. */
  public static Parameter<Integer> whole(String name, int byDefault, int min, String summary) {
    String range = "a whole number of at least " + min;
    return of(name, byDefault, range, n -> n >= min, Parameter::integer, summary);
  }

  /** A whole number from {@code min} to {@code max}. */
  public static Parameter<Integer> whole(
      String name, int byDefault, int min, int max, String summary) {
    String range = "a whole number " + from(min, max);
    return of(name, byDefault, range, n -> n >= min && n <= max, Parameter::integer, summary);
  }

  /** A number of tokens that need not be given; given, it wins over a retention ratio. */
  public static Parameter<OptionalInt> count(String name, String summary) {
    return of(
            name,
            OptionalInt.empty(),
            "a whole number of at least 1",
            count -> count.orElse(1) >= 1,
            text -> OptionalInt.of(integer(text)),
            summary)
        .written(count -> count.isPresent() ? Integer.toString(count.getAsInt()) : "");
  }

  /** The start of a random sequence; unset, the request's seed is taken. */
  public static Parameter<OptionalLong> seed(String name, String summary) {
    String range = "a whole number " + from(Long.MIN_VALUE, Long.MAX_VALUE);
    Function<String, OptionalLong> reader = text -> OptionalLong.of(digits(text));
    return of(name, OptionalLong.empty(), range, seed -> true, reader, summary)
        .written(seed -> seed.isPresent() ? Long.toString(seed.getAsLong()) : "");
  }

  /** A site: {@code vision}, or the number of the first decoder layer that runs pruned. */
  public static Parameter<Site> site(String name, Site byDefault, String summary) {
    String range = "vision, or a decoder layer of at least 1";
    Predicate<Site> allowed = site -> !(site instanceof Site.BeforeProjector);
    return of(name, byDefault, range, allowed, Parameter::site, summary).written(Parameter::text);
  }

  /** One of a few values, named by their words in lower case; the first is the default. */
  public static <T> Parameter<T> choice(String name, List<T> values, String summary) {
    List<T> known = List.copyOf(values);
    List<String> words = known.stream().map(Parameter::word).toList();
    Function<String, T> reader =
        text -> {
          if (!words.contains(text)) {
            throw new IllegalArgumentException(NOT_KNOWN);
          }
          return known.get(words.indexOf(text));
        };
    String range = "one of " + String.join(", ", words);
    return new Parameter<>(
        name, summary, range, known.get(0), reader, Parameter::word, known::contains, words);
  }

  /** Decoder layers, ascending, written {@code 3/7/16}; none unless given. */
  public static Parameter<List<Integer>> layers(String name, String summary) {
    String range = "ascending decoder layers of at least 1, joined by '/', such as 3/7/16";
    return list(name, range, Parameter::ascend, Parameter::integer, summary);
  }

  /** Numbers in a range, one per site, written {@code 0.5/0.25/0.1}; none unless given. */
  public static Parameter<List<Double>> numbers(
      String name, double min, double max, String summary) {
    String range = "numbers " + from(min, max) + ", joined by '/'";
    Predicate<Double> allowed = n -> n >= min && n <= max;
    return list(name, range, all -> all.stream().allMatch(allowed), Parameter::real, summary);
  }

  /** Numbers of tokens, one per site, written {@code 96/32}; none unless given. */
  public static Parameter<List<Integer>> counts(String name, String summary) {
    String range = "whole numbers of at least 1, joined by '/', such as 96/32";
    Predicate<Integer> allowed = n -> n >= 1;
    return list(name, range, all -> all.stream().allMatch(allowed), Parameter::integer, summary);
  }

  /** Free text without a comma, such as the path of a file; {@code what} is its range. */
  public static Parameter<Optional<String>> text(String name, String what, String summary) {
    Function<String, Optional<String>> reader = Optional::of;
    return of(name, Optional.empty(), what, text -> true, reader, summary)
        .written(text -> text.orElse(""));
  }

  private static <E> Parameter<List<E>> list(
      String name,
      String range,
      Predicate<List<E>> allowed,
      Function<String, E> element,
      String summary) {
    return of(name, List.of(), range, allowed, text -> elements(text, element), summary)
        .written(Parameter::joined);
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
      throw refused(
          strategy, writer.apply(value), words.isEmpty() ? OUT_OF_RANGE : NOT_KNOWN, null);
    }
  }

  T parse(String strategy, String text) {
    T value;
    try {
      value = reader.apply(text);
    } catch (IllegalArgumentException e) {
      throw refused(strategy, text, e.getMessage(), e);
    }
    if (!allowed.test(value)) {
      throw refused(strategy, text, OUT_OF_RANGE, null);
    }
    return value;
  }

  private StrategyException refused(String strategy, String text, String fault, Exception cause) {
    String hint =
        Suggestion.nearest(text, words).map("did you mean '%s'? Or "::formatted).orElse("");
    return new StrategyException(
        "strategy '%s': %s=%s %s; %schoose %s".formatted(strategy, name, text, fault, hint, range),
        cause);
  }

  private static String from(Object min, Object max) {
    return "from " + min + " to " + max;
  }

  private static long digits(String text) {
    if (!DIGITS.matcher(text).matches()) {
      throw new IllegalArgumentException("is not a whole number");
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
      throw new IllegalArgumentException("is not a number");
    }
    return Double.parseDouble(text);
  }

  private static Site site(String text) {
    if (text.equals("vision")) {
      return new Site.AfterVision();
    }
    if (!DIGITS.matcher(text).matches()) {
      throw new IllegalArgumentException("is not a site");
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
