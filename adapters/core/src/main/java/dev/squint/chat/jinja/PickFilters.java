package dev.squint.chat.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Filters that pick items or something of each. */
final class PickFilters {

  private PickFilters() {}

  static Map<String, Filter> all() {
    return Map.of(
        "map", PickFilters::mapped,
        "select", (on, value, a) -> picked(on, value, null, a, true),
        "reject", (on, value, a) -> picked(on, value, null, a, false),
        "selectattr", (on, value, a) -> byAttribute(on, value, a, true),
        "rejectattr", (on, value, a) -> byAttribute(on, value, a, false));
  }

  /** An item's attribute such as {@code a.0.b}, or the item for null. */
  static Object attribute(Rendering on, Object item, Object path) {
    if (path == null) {
      return item;
    }
    if (!(path instanceof String names)) {
      return Members.item(on, item, path, "an item");
    }
    Object value = item;
    for (String name : names.split("\\.", -1)) {
      boolean isPlace = name.matches("[0-9]{1,9}");
      value = Members.item(on, value, isPlace ? (Object) Long.valueOf(name) : name, "an item");
    }
    return value;
  }

  private static Object mapped(Rendering on, Object value, Arguments arguments) {
    List<Object> made = new ArrayList<>();
    if (arguments.positional().isEmpty()) {
      Object[] given = arguments.bound("attribute", "default");
      if (given[0] == Arguments.NONE) {
        throw Fault.of("filter 'map' maps to nothing");
      }
      for (Object item : ListFilters.all(on, value)) {
        Object of = attribute(on, item, given[0]);
        made.add(of instanceof Undefined && given[1] != Arguments.NONE ? given[1] : of);
      }
      return new Lazy(made);
    }
    String name = Values.string(arguments.positional().get(0));
    Filter filter = Filters.get(name);
    Arguments rest = arguments.from(1).of("filter '" + name + "'");
    for (Object item : ListFilters.all(on, value)) {
      on.budget().steps(1);
      made.add(filter.apply(on, item, rest));
    }
    return new Lazy(made);
  }

  private static Object byAttribute(
      Rendering on, Object value, Arguments arguments, boolean wanted) {
    if (arguments.positional().isEmpty()) {
      throw Fault.of("%s names no attribute", arguments.to());
    }
    return picked(on, value, arguments.positional().get(0), arguments.from(1), wanted);
  }

  private static Object picked(
      Rendering on, Object value, Object attribute, Arguments arguments, boolean wanted) {
    Test test = (rendering, item, a) -> Values.truth(item);
    Arguments rest = arguments;
    if (!arguments.positional().isEmpty()) {
      String name = Values.string(arguments.positional().get(0));
      test = Tests.get(name);
      rest = arguments.from(1).of("test '" + name + "'");
    }
    List<Object> picked = new ArrayList<>();
    for (Object item : ListFilters.all(on, value)) {
      on.budget().steps(1);
      if (test.holds(on, attribute(on, item, attribute), rest) == wanted) {
        picked.add(item);
      }
    }
    return new Lazy(picked);
  }
}
