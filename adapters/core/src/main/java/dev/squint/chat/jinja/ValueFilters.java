package dev.squint.chat.jinja;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Map;

/** Filters that take any value or a number. */
final class ValueFilters {

  private ValueFilters() {}

  static Map<String, Filter> all() {
    return Map.ofEntries(
        Map.entry("default", ValueFilters::instead),
        Map.entry("d", ValueFilters::instead),
        Map.entry("length", (on, value, a) -> length(on, value, a)),
        Map.entry("count", (on, value, a) -> length(on, value, a)),
        Map.entry("attr", ValueFilters::attribute),
        Map.entry("tojson", Json::filter),
        Map.entry("abs", ValueFilters::absolute),
        Map.entry("int", ValueFilters::whole),
        Map.entry("float", ValueFilters::real),
        Map.entry("round", ValueFilters::rounded));
  }

  private static Object length(Rendering on, Object value, Arguments arguments) {
    arguments.positional(0, 0);
    return Values.length(on, value);
  }

  private static Object instead(Rendering on, Object value, Arguments arguments) {
    Object[] given = arguments.bound("default_value", "boolean");
    boolean missing =
        value instanceof Undefined || Arguments.flag(given[1]) && !Values.truth(value);
    return missing ? Arguments.or(given[0], "") : value;
  }

  private static Object attribute(Rendering on, Object value, Arguments arguments) {
    String name = Values.string(arguments.positional(1, 1)[0]);
    Object member = Members.attribute(value, name, "a value");
    return value instanceof Map ? Members.attribute(Map.of(), name, "a value") : member;
  }

  private static Object absolute(Rendering on, Object value, Arguments arguments) {
    arguments.positional(0, 0);
    boolean negative = Arithmetic.isNumber(value) && Arithmetic.compare(value, 0L) < 0;
    return Arithmetic.signed(negative, value);
  }

  private static Object whole(Rendering on, Object value, Arguments arguments) {
    Object[] given = arguments.bound("default", "base");
    Object instead = Arguments.or(given[0], 0L);
    if (Arguments.or(given[1], 10L) instanceof Long base && base != 10) {
      throw Fault.of("filter 'int' has a base of %d, which is not supported", base);
    }
    if (value instanceof String text) {
      String digits = TextMethods.stripped(text, null, true, true);
      if (digits.matches("[+-]?[0-9](?:_?[0-9]){0,17}")) {
        return Long.valueOf(digits.replace("_", ""));
      }
    }
    Object number = real(on, value, Arguments.of((Object) null));
    if (number == null) {
      return instead;
    }
    double real = (double) number;
    if (Double.isNaN(real) || Double.isInfinite(real)) {
      return instead;
    }
    if (Math.abs(real) >= 0x1p63) {
      throw Fault.of("a number has more than 64 bits");
    }
    return value instanceof Long ? value : (Object) (long) real;
  }

  private static Object real(Rendering on, Object value, Arguments arguments) {
    Object instead = Arguments.or(arguments.bound("default")[0], 0.0);
    if (Arithmetic.isNumber(value)) {
      return Arithmetic.real(value);
    }
    if (value instanceof Undefined undefined) {
      throw Fault.of("'%s' is not defined and is made a number", undefined.what());
    }
    if (!(value instanceof String text)) {
      return instead;
    }
    String digits = TextMethods.stripped(text, null, true, true).replaceAll("(?<=\\d)_(?=\\d)", "");
    if (digits.length() > 64) {
      throw Fault.of("a number has more than 64 digits");
    }
    if (digits.matches("[+-]?(?:\\d+\\.?\\d*|\\.\\d+)(?:[eE][+-]?\\d+)?")) {
      return Double.valueOf(digits);
    }
    return digits.matches("(?i)[+-]?(?:inf|infinity|nan)") ? notFinite(digits) : instead;
  }

  private static Object notFinite(String digits) {
    return digits.toLowerCase(java.util.Locale.ROOT).endsWith("nan")
        ? Double.NaN
        : digits.startsWith("-") ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
  }

  private static Object rounded(Rendering on, Object value, Arguments arguments) {
    Object[] given = arguments.bound("precision", "method");
    int precision = Values.smallIndex(Arguments.or(given[0], 0L));
    RoundingMode mode =
        switch (Values.string(Arguments.or(given[1], "common"))) {
          case "common" -> RoundingMode.HALF_EVEN;
          case "ceil" -> RoundingMode.CEILING;
          case "floor" -> RoundingMode.FLOOR;
          default -> throw Fault.of("filter 'round' has a method that is not known");
        };
    if (!(value instanceof Double) && mode == RoundingMode.HALF_EVEN && precision >= 0) {
      return Values.index(value);
    }
    double number = Arithmetic.real(value);
    if (Math.abs(precision) > 300 || Double.isNaN(number) || Double.isInfinite(number)) {
      throw Fault.of("filter 'round' cannot round so");
    }
    return new BigDecimal(number).setScale(precision, mode).doubleValue();
  }
}
