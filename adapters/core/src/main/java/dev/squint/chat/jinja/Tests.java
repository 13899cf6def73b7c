package dev.squint.chat.jinja;

import java.util.List;
import java.util.Map;

/** The tests of jinja2. */
final class Tests {

  private static final Map<String, Test> TESTS =
      Map.ofEntries(
          plain("defined", value -> !(value instanceof Undefined)),
          plain("undefined", value -> value instanceof Undefined),
          plain("none", value -> value == null),
          plain("boolean", value -> value instanceof Boolean),
          plain("true", value -> value instanceof Boolean flag && flag),
          plain("false", value -> value instanceof Boolean flag && !flag),
          plain("integer", value -> value instanceof Long),
          plain("float", value -> value instanceof Double),
          plain("number", Arithmetic::isNumber),
          plain("string", value -> value instanceof String || value instanceof Markup),
          plain("mapping", value -> value instanceof Map),
          plain("iterable", Tests::isIterable),
          plain("sequence", Tests::isSequence),
          plain(
              "callable",
              value ->
                  value instanceof Callable
                      || value instanceof LoopState
                      || value instanceof Undefined),
          plain("escaped", value -> value instanceof Markup),
          plain("odd", value -> Math.floorMod(Values.index(value), 2L) == 1),
          plain("even", value -> Math.floorMod(Values.index(value), 2L) == 0),
          Map.entry("lower", (on, value, a) -> isCased(on, value, false)),
          Map.entry("upper", (on, value, a) -> isCased(on, value, true)),
          Map.entry("divisibleby", Tests::divides),
          Map.entry("sameas", Tests::isSame),
          Map.entry("in", (on, value, a) -> Comparing.contains(on, a.positional(1, 1)[0], value)),
          Map.entry("filter", (on, value, a) -> Filters.isKnown(Values.string(value))),
          Map.entry("test", (on, value, a) -> Tests.isKnown(Values.string(value))),
          comparing("==", "eq"),
          comparing("==", "equalto"),
          comparing("==", "=="),
          comparing("!=", "ne"),
          comparing("!=", "!="),
          comparing("<", "lt"),
          comparing("<", "lessthan"),
          comparing("<", "<"),
          comparing("<=", "le"),
          comparing("<=", "<="),
          comparing(">", "gt"),
          comparing(">", "greaterthan"),
          comparing(">", ">"),
          comparing(">=", "ge"),
          comparing(">=", ">="));

  private Tests() {}

  private interface Plain {
    boolean holds(Object value);
  }

  private static Map.Entry<String, Test> plain(String name, Plain plain) {
    return Map.entry(
        name,
        (on, value, arguments) -> {
          arguments.positional(0, 0);
          return plain.holds(value);
        });
  }

  private static Map.Entry<String, Test> comparing(String operator, String name) {
    return Map.entry(
        name, (on, value, a) -> Comparing.holds(on, operator, value, a.positional(1, 1)[0]));
  }

  static boolean isKnown(String name) {
    return TESTS.containsKey(name);
  }

  static Test get(String name) {
    Test test = TESTS.get(name);
    if (test == null) {
      throw Fault.of("the test '%s' is not known", name);
    }
    return test;
  }

  private static boolean isIterable(Object value) {
    return value instanceof List
        || value instanceof Map
        || value instanceof String
        || value instanceof Markup
        || value instanceof View
        || value instanceof Lazy
        || value instanceof LoopState
        || value instanceof Undefined;
  }

  private static boolean isSequence(Object value) {
    return value instanceof List
        || value instanceof Map
        || value instanceof String
        || value instanceof Markup
        || value instanceof Undefined;
  }

  private static boolean isCased(Rendering on, Object value, boolean upper) {
    String text = Text.of(on, value);
    return (boolean) TextMethods.of(text, upper ? "isupper" : "islower").call(on, Arguments.of());
  }

  private static boolean divides(Rendering on, Object value, Arguments arguments) {
    Object by = arguments.positional(1, 1)[0];
    return Comparing.equal(on, Arithmetic.apply(on, "%", value, by), 0L);
  }

  private static boolean isSame(Rendering on, Object value, Arguments arguments) {
    Object other = arguments.positional(1, 1)[0];
    if (value instanceof Boolean || value == null || other == null || other instanceof Boolean) {
      return java.util.Objects.equals(value, other);
    }
    if (value instanceof String || value instanceof Long || value instanceof Double) {
      throw Fault.of("the test 'sameas' asks which object a %s is", Values.type(value));
    }
    return value == other;
  }
}
