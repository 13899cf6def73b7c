package dev.squint.chat.jinja;

import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The functions that a template finds. */
final class Globals {

  private static final Map<String, Callable> FUNCTIONS =
      Map.of(
          "range", Range::of,
          "dict", (on, given) -> entries(on, "dict", given),
          "namespace", Namespace::of,
          "raise_exception", Globals::raise,
          "strftime_now", Globals::now);

  /** What jinja2 has and is not here. */
  private static final List<String> OTHERS = List.of("lipsum", "cycler", "joiner", "self");

  private static final Map<Character, String> DATES =
      Map.ofEntries(
          Map.entry('a', "EEE"),
          Map.entry('A', "EEEE"),
          Map.entry('b', "MMM"),
          Map.entry('h', "MMM"),
          Map.entry('B', "MMMM"),
          Map.entry('d', "dd"),
          Map.entry('m', "MM"),
          Map.entry('y', "yy"),
          Map.entry('Y', "uuuu"),
          Map.entry('H', "HH"),
          Map.entry('I', "hh"),
          Map.entry('M', "mm"),
          Map.entry('S', "ss"),
          Map.entry('f', "SSSSSS"),
          Map.entry('p', "a"),
          Map.entry('j', "DDD"),
          Map.entry('F', "uuuu-MM-dd"),
          Map.entry('T', "HH:mm:ss"),
          Map.entry('R', "HH:mm"),
          Map.entry('D', "MM/dd/yy"));

  private static final Map<Character, String> SHORT_DATES =
      Map.of('d', "d", 'm', "M", 'H', "H", 'I', "h", 'M', "m", 'S', "s", 'j', "D");

  private Globals() {}

  static Object get(String name) {
    if (OTHERS.contains(name)) {
      throw Fault.of("'%s' is not supported", name);
    }
    Callable function = FUNCTIONS.get(name);
    return function == null ? new Undefined(name) : function;
  }

  /** What {@code dict(...)} makes of its arguments. */
  static Map<Object, Object> entries(Rendering on, String to, Arguments arguments) {
    Map<Object, Object> entries = new LinkedHashMap<>();
    if (arguments.positional().size() > 1) {
      throw Fault.of("%s() has more than one argument without a name", to);
    }
    for (Object given : arguments.positional()) {
      if (given instanceof Map<?, ?> map) {
        entries.putAll(map);
        continue;
      }
      Values.iterate(on, given)
          .forEachRemaining(
              pair -> {
                List<Object> two = Values.list(on, pair);
                if (two.size() != 2) {
                  throw Fault.of("%s() is made of what are no pairs", to);
                }
                entries.put(Values.key(two.get(0)), two.get(1));
              });
    }
    entries.putAll(arguments.named());
    return entries;
  }

  private static Object raise(Rendering on, Arguments arguments) {
    throw Fault.of(
        "it raises '%s'", Text.of(on, arguments.of("raise_exception()").positional(1, 1)[0]));
  }

  private static Object now(Rendering on, Arguments arguments) {
    String format = Values.string(arguments.of("strftime_now()").positional(1, 1)[0]);
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      if (c != '%') {
        out.append(c);
        continue;
      }
      char kind = ++i < format.length() ? format.charAt(i) : ' ';
      if (kind == '%') {
        out.append('%');
        continue;
      }
      boolean isShort = kind == '-' && i + 1 < format.length();
      String pattern = isShort ? SHORT_DATES.get(format.charAt(++i)) : DATES.get(kind);
      if (pattern == null) {
        throw Fault.of("strftime_now() has a field '%%%s', which is not supported", kind);
      }
      out.append(DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH).format(on.now()));
    }
    return on.made(out.toString());
  }
}
