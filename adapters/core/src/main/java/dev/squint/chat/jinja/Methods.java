package dev.squint.chat.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Methods of Python's mappings and lists that change nothing. */
final class Methods {

  private Methods() {}

  static Callable ofMap(Map<?, ?> map, String name) {
    return switch (name) {
      case "get" ->
          (on, given) -> {
            Object[] a = given.of("get()").positional(1, 2);
            Object key = Values.key(a[0]);
            return map.containsKey(key) ? map.get(key) : a.length > 1 ? a[1] : null;
          };
      case "items" -> (on, given) -> new View("dict_items", items(on, map));
      case "keys" -> (on, given) -> new View("dict_keys", new ArrayList<>(map.keySet()));
      case "values" -> (on, given) -> new View("dict_values", new ArrayList<>(map.values()));
      case "copy" -> (on, given) -> new LinkedHashMap<Object, Object>(map);
      default -> null;
    };
  }

  static List<Object> items(Rendering on, Map<?, ?> map) {
    on.budget().steps(map.size());
    List<Object> items = new ArrayList<>(map.size());
    map.forEach((key, value) -> items.add(Tuple.of(key, value)));
    return items;
  }

  static Callable ofList(List<?> list, String name) {
    return switch (name) {
      case "count" ->
          (on, given) -> {
            Object wanted = given.of("count()").positional(1, 1)[0];
            on.budget().steps(list.size());
            return list.stream().filter(item -> Comparing.equal(on, item, wanted)).count();
          };
      case "index" ->
          (on, given) -> {
            Object wanted = given.of("index()").positional(1, 1)[0];
            on.budget().steps(list.size());
            for (int i = 0; i < list.size(); i++) {
              if (Comparing.equal(on, list.get(i), wanted)) {
                return (long) i;
              }
            }
            throw Fault.of("index() finds nothing");
          };
      case "copy" -> list instanceof Tuple ? null : (on, given) -> new ArrayList<Object>(list);
      default -> null;
    };
  }
}
