package dev.squint.chat.jinja;

import java.util.List;
import java.util.Map;
import java.util.Set;

/** Attributes and items, in the order in which jinja2's sandbox looks for them. */
final class Members {

  /** What Python's types have besides what is here, by the names of the types. */
  private static final Map<String, Set<String>> OTHERS =
      Map.of(
          "str",
          Set.of(
              "encode",
              "translate",
              "maketrans",
              "format_map",
              "isidentifier",
              "isprintable",
              "isascii"),
          "dict",
          Set.of("clear", "pop", "popitem", "setdefault", "update", "fromkeys"),
          "list",
          Set.of("append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove"),
          "tuple",
          Set.of());

  /** What numbers, ranges and views have. */
  private static final Set<String> OF_OTHER_TYPES =
      Set.of(
          "real",
          "imag",
          "numerator",
          "denominator",
          "bit_length",
          "bit_count",
          "conjugate",
          "to_bytes",
          "from_bytes",
          "as_integer_ratio",
          "is_integer",
          "hex",
          "fromhex",
          "start",
          "stop",
          "step",
          "mapping",
          "isdisjoint");

  private Members() {}

  /** {@code of.name}. */
  static Object attribute(Object of, String name, String described) {
    if (of instanceof Undefined) {
      throw Fault.of("%s is not defined and '%s' of it is taken", described, name);
    }
    Object member = member(of, name);
    if (member != null) {
      return member == Arguments.NONE ? null : member;
    }
    if (of instanceof Map<?, ?> map && map.containsKey(name)) {
      return map.get(name);
    }
    return new Undefined(name);
  }

  /** {@code of[key]}. */
  static Object item(Rendering on, Object of, Object key, String described) {
    if (of instanceof Undefined) {
      throw Fault.of("%s is not defined and an item of it is taken", described);
    }
    if (of instanceof Map<?, ?> map) {
      boolean hashable = !(key instanceof List && !(key instanceof Tuple) || key instanceof Map);
      if (hashable && map.containsKey(Values.key(key))) {
        return map.get(key);
      }
    } else if (of instanceof String text && (key instanceof Long || key instanceof Boolean)) {
      long place = Values.index(key);
      long length = Values.length(on, text);
      place += place < 0 ? length : 0;
      if (place >= 0 && place < length) {
        return Character.toString(text.codePointAt(text.offsetByCodePoints(0, (int) place)));
      }
    } else if (of instanceof List<?> list && (key instanceof Long || key instanceof Boolean)) {
      long place = Values.index(key);
      place += place < 0 ? list.size() : 0;
      if (place >= 0 && place < list.size()) {
        return list.get((int) place);
      }
    }
    if (key instanceof String name) {
      Object member = member(of, name);
      if (member != null) {
        return member == Arguments.NONE ? null : member;
      }
    }
    return new Undefined(key instanceof String || key instanceof Long ? key.toString() : "an item");
  }

  /** A member of Python's, {@link Arguments#NONE} for None, null for none. */
  private static Object member(Object of, String name) {
    if (name.startsWith("__") || of instanceof Callable && name.startsWith("_")) {
      throw Fault.of("'%s' is taken, which is not safe", name);
    }
    Callable method = null;
    if (of instanceof Map<?, ?> map) {
      method = Methods.ofMap(map, name);
    } else if (of instanceof String text) {
      method = TextMethods.of(text, name);
    } else if (of instanceof List<?> list) {
      method = Methods.ofList(list, name);
    } else if (of instanceof Namespace namespace) {
      return orNone(namespace.get(name));
    } else if (of instanceof LoopState loop) {
      return orNone(loop.get(name));
    } else if (of instanceof Macro macro && name.equals("name")) {
      return macro.name();
    } else if (of instanceof Callable || of instanceof Markup || of instanceof Lazy) {
      throw Fault.of("'%s' of a %s is taken", name, Values.type(of));
    }
    if (method == null
        && of != null
        && OTHERS.getOrDefault(Values.type(of), OF_OTHER_TYPES).contains(name)) {
      throw Fault.of("'%s' of a %s is not to be had", name, Values.type(of));
    }
    return method;
  }

  private static Object orNone(Object value) {
    return value == null ? Arguments.NONE : value;
  }
}
