package dev.squint.chat.jinja;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The values of a template and what Python says of them: null for None, Boolean, Long, Double,
 * String, List and {@link Tuple}, Map, and what only templates make ({@link Undefined}, {@link
 * Namespace}, {@link Lazy} ...).
 */
final class Values {

  private Values() {}

  /** A value of Java's as one of a template. */
  static Object of(Object value) {
    if (value instanceof Integer || value instanceof Short || value instanceof Byte) {
      return ((Number) value).longValue();
    }
    if (value instanceof Float number) {
      return number.doubleValue();
    }
    if (value instanceof Map<?, ?> map) {
      Map<Object, Object> copy = new LinkedHashMap<>();
      map.forEach((key, item) -> copy.put(of(key), of(item)));
      return copy;
    }
    if (value instanceof List<?> list) {
      List<Object> copy = new ArrayList<>(list.size());
      list.forEach(item -> copy.add(of(item)));
      return copy;
    }
    if (value == null
        || value instanceof String
        || value instanceof Boolean
        || value instanceof Long
        || value instanceof Double) {
      return value;
    }
    throw new IllegalArgumentException(value.getClass().getName());
  }

  static boolean truth(Object value) {
    if (value instanceof Boolean flag) {
      return flag;
    }
    if (value instanceof String || value instanceof Markup) {
      return !value.equals("") && !value.equals(new Markup(""));
    }
    if (value instanceof Long number) {
      return number != 0;
    }
    if (value instanceof Double number) {
      return number != 0;
    }
    if (value instanceof List<?> list) {
      return !list.isEmpty();
    }
    if (value instanceof Map<?, ?> map) {
      return !map.isEmpty();
    }
    if (value instanceof View view) {
      return !view.items().isEmpty();
    }
    return value != null && !(value instanceof Undefined);
  }

  /** Python's name of its type. */
  static String type(Object value) {
    if (value == null) {
      return "None";
    }
    if (value instanceof Undefined) {
      return "undefined value";
    }
    if (value instanceof Boolean) {
      return "bool";
    }
    if (value instanceof Long) {
      return "int";
    }
    if (value instanceof Double) {
      return "float";
    }
    if (value instanceof String) {
      return "str";
    }
    if (value instanceof Map) {
      return "dict";
    }
    if (value instanceof List) {
      return value instanceof Tuple ? "tuple" : value instanceof Range ? "range" : "list";
    }
    if (value instanceof View view) {
      return view.name();
    }
    if (value instanceof Callable) {
      return value instanceof Macro ? "macro" : "function";
    }
    return value instanceof Lazy
        ? "generator"
        : value instanceof Markup ? "safe text" : value instanceof LoopState ? "loop" : "namespace";
  }

  /** A whole number, as Python takes it where it wants an index. */
  static long index(Object value) {
    if (value instanceof Long number) {
      return number;
    }
    if (value instanceof Boolean flag) {
      return flag ? 1 : 0;
    }
    throw Fault.of("a %s stands where a whole number is needed", type(value));
  }

  static int smallIndex(Object value) {
    return (int) Math.max(Integer.MIN_VALUE, Math.min(Integer.MAX_VALUE, index(value)));
  }

  static String string(Object value) {
    if (value instanceof String text) {
      return text;
    }
    throw Fault.of("a %s stands where a str is needed", type(value));
  }

  /** A value that may be the key of a mapping. */
  static Object key(Object value) {
    if (value instanceof Tuple tuple && tuple.stream().noneMatch(List.class::isInstance)) {
      tuple.forEach(Values::key);
      return value;
    }
    if (value instanceof List || value instanceof Map) {
      throw Fault.of("a %s is the key of a mapping", type(value));
    }
    if (value instanceof Boolean || value instanceof Double) {
      throw Fault.of("a %s is the key of a mapping, which is not supported", type(value));
    }
    return value;
  }

  /** Goes through a value as Python's {@code iter} does. */
  static Iterator<Object> iterate(Rendering on, Object value) {
    if (value instanceof Lazy lazy) {
      return lazy;
    }
    return list(on, value).iterator();
  }

  /** What a value holds. */
  static List<Object> list(Rendering on, Object value) {
    if (value instanceof List<?> list) {
      on.budget().steps(list.size());
      return Collections.unmodifiableList(list);
    }
    if (value instanceof Map<?, ?> map) {
      on.budget().steps(map.size());
      return new ArrayList<>(map.keySet());
    }
    if (value instanceof String text) {
      on.budget().steps(text.length());
      List<Object> characters = new ArrayList<>(text.length());
      text.codePoints().forEach(c -> characters.add(Character.toString(c)));
      return characters;
    }
    if (value instanceof View view) {
      return view.items();
    }
    if (value instanceof Undefined) {
      return List.of();
    }
    if (value instanceof Lazy lazy) {
      List<Object> items = new ArrayList<>();
      lazy.forEachRemaining(items::add);
      return items;
    }
    throw Fault.of("a %s is gone through", type(value));
  }

  static long length(Rendering on, Object value) {
    if (value instanceof String text) {
      on.budget().search(text.length(), 1);
      return length(text);
    }
    return length(value);
  }

  static long length(String text) {
    return text.codePointCount(0, text.length());
  }

  private static long length(Object value) {
    if (value instanceof List<?> list) {
      return list.size();
    }
    if (value instanceof Map<?, ?> map) {
      return map.size();
    }
    if (value instanceof View view) {
      return view.items().size();
    }
    if (value instanceof Undefined) {
      return 0;
    }
    throw Fault.of("a %s has no length", type(value));
  }
}
