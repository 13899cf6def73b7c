package dev.squint.chat.jinja;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Filters that take what can be gone through and join, sort or regroup it. */
final class ListFilters {

  private ListFilters() {}

  static Map<String, Filter> all() {
    return Map.ofEntries(
        Map.entry("list", (on, value, a) -> all(on, value)),
        Map.entry("first", ListFilters::first),
        Map.entry("last", ListFilters::last),
        Map.entry("join", ListFilters::joined),
        Map.entry("reverse", ListFilters::reversed),
        Map.entry("items", ListFilters::items),
        Map.entry("dictsort", ListFilters::sortedItems),
        Map.entry("sort", ListFilters::sorted),
        Map.entry("unique", ListFilters::unique),
        Map.entry("min", (on, value, a) -> extreme(on, value, a, -1)),
        Map.entry("max", (on, value, a) -> extreme(on, value, a, 1)),
        Map.entry("sum", ListFilters::sum),
        Map.entry("batch", ListFilters::batches),
        Map.entry("groupby", ListFilters::groups));
  }

  static List<Object> all(Rendering on, Object value) {
    List<Object> all = new ArrayList<>();
    Iterator<Object> items = Values.iterate(on, value);
    while (items.hasNext()) {
      on.budget().steps(1);
      all.add(items.next());
    }
    return all;
  }

  private static Object first(Rendering on, Object value, Arguments arguments) {
    arguments.positional(0, 0);
    Iterator<Object> items = Values.iterate(on, value);
    return items.hasNext() ? items.next() : new Undefined("the first item of none");
  }

  private static Object last(Rendering on, Object value, Arguments arguments) {
    arguments.positional(0, 0);
    if (value instanceof Lazy) {
      throw Fault.of("the last item of a generator is taken");
    }
    List<Object> items = Values.list(on, value);
    return items.isEmpty() ? new Undefined("the last item of none") : items.get(items.size() - 1);
  }

  private static Object joined(Rendering on, Object value, Arguments arguments) {
    Object[] given = arguments.bound("d", "attribute");
    String between = Text.of(on, Arguments.or(given[0], ""));
    Object attribute = Arguments.or(given[1], null);
    StringBuilder out = new StringBuilder();
    boolean isFirst = true;
    for (Object item : all(on, value)) {
      String part = Text.of(on, PickFilters.attribute(on, item, attribute));
      on.budget().characters((long) part.length() + between.length());
      out.append(isFirst ? "" : between).append(part);
      isFirst = false;
    }
    return on.made(out.toString());
  }

  private static Object reversed(Rendering on, Object value, Arguments arguments) {
    arguments.positional(0, 0);
    List<Object> items = all(on, value);
    Collections.reverse(items);
    if (value instanceof String) {
      StringBuilder out = new StringBuilder();
      items.forEach(out::append);
      return on.made(out.toString());
    }
    return value instanceof Lazy ? items : new Lazy(items);
  }

  private static Object items(Rendering on, Object value, Arguments arguments) {
    arguments.positional(0, 0);
    if (value instanceof Undefined) {
      return new Lazy(List.of());
    }
    if (value instanceof Map<?, ?> map) {
      return new Lazy(Methods.items(on, map));
    }
    throw Fault.of("filter 'items' takes the items of a %s", Values.type(value));
  }

  /** As jinja2 sorts: texts without regard to large letters. */
  static Object key(Object value, boolean exact) {
    return !exact && value instanceof String text ? text.toLowerCase(Locale.ROOT) : value;
  }

  private static List<Object> sorted(
      Rendering on, List<Object> items, Comparator<Object> order, boolean backward) {
    on.budget().steps(20L * items.size());
    List<Object> sorted = new ArrayList<>(items);
    try {
      // Backward and yet stable, as Python's.
      sorted.sort(backward ? (a, b) -> order.compare(b, a) : order);
    } catch (IllegalArgumentException e) {
      throw Fault.of("a list has no order");
    }
    return sorted;
  }

  private static Object sortedItems(Rendering on, Object value, Arguments arguments) {
    Object[] given = arguments.bound("case_sensitive", "by", "reverse");
    if (!(value instanceof Map<?, ?> map)) {
      throw Fault.of("filter 'dictsort' sorts a %s", Values.type(value));
    }
    boolean exact = Arguments.flag(given[0]);
    int by =
        switch (Values.string(Arguments.or(given[1], "key"))) {
          case "key" -> 0;
          case "value" -> 1;
          default -> throw Fault.of("filter 'dictsort' sorts by what is neither key nor value");
        };
    Comparator<Object> order =
        (a, b) ->
            Comparing.order(
                on, key(((List<?>) a).get(by), exact), key(((List<?>) b).get(by), exact));
    return sorted(on, Methods.items(on, map), order, Arguments.flag(given[2]));
  }

  private static Object sorted(Rendering on, Object value, Arguments arguments) {
    Object[] given = arguments.bound("reverse", "case_sensitive", "attribute");
    boolean exact = Arguments.flag(given[1]);
    Object attribute = Arguments.or(given[2], null);
    return sorted(
        on,
        all(on, value),
        (a, b) ->
            Comparing.order(on, keysOf(on, a, attribute, exact), keysOf(on, b, attribute, exact)),
        Arguments.flag(given[0]));
  }

  private static Object keysOf(Rendering on, Object item, Object attributes, boolean exact) {
    List<Object> keys = new ArrayList<>();
    String names = attributes instanceof String text ? text : null;
    for (String name : names == null ? new String[] {null} : names.split(",")) {
      Object by = name == null ? attributes : name;
      keys.add(key(PickFilters.attribute(on, item, by), exact));
    }
    return keys;
  }

  private static Object unique(Rendering on, Object value, Arguments arguments) {
    Object[] given = arguments.bound("case_sensitive", "attribute");
    Map<Object, Object> seen = new LinkedHashMap<>();
    for (Object item : all(on, value)) {
      Object by = PickFilters.attribute(on, item, Arguments.or(given[1], null));
      seen.putIfAbsent(Values.key(key(by, Arguments.flag(given[0]))), item);
    }
    return new Lazy(new ArrayList<>(seen.values()));
  }

  private static Object extreme(Rendering on, Object value, Arguments arguments, int sign) {
    Object[] given = arguments.bound("case_sensitive", "attribute");
    boolean exact = Arguments.flag(given[0]);
    Object attribute = Arguments.or(given[1], null);
    Object best = new Undefined("the extreme of none");
    for (Object item : all(on, value)) {
      Object by = key(PickFilters.attribute(on, item, attribute), exact);
      if (best instanceof Undefined
          || sign * Comparing.order(on, by, key(PickFilters.attribute(on, best, attribute), exact))
              > 0) {
        best = item;
      }
    }
    return best;
  }

  private static Object sum(Rendering on, Object value, Arguments arguments) {
    Object[] given = arguments.bound("attribute", "start");
    Object sum = Arguments.or(given[1], 0L);
    for (Object item : all(on, value)) {
      Object part = PickFilters.attribute(on, item, Arguments.or(given[0], null));
      if (part instanceof String) {
        throw Fault.of("filter 'sum' sums texts");
      }
      sum = Arithmetic.apply(on, "+", sum, part);
    }
    return sum;
  }

  private static Object batches(Rendering on, Object value, Arguments arguments) {
    Object[] given = arguments.bound("linecount", "fill_with");
    long size = Values.index(given[0]);
    if (size < 1) {
      throw Fault.of("filter 'batch' makes batches of %d", size);
    }
    List<Object> batches = new ArrayList<>();
    List<Object> batch = new ArrayList<>();
    for (Object item : all(on, value)) {
      if (batch.size() == size) {
        batches.add(batch);
        batch = new ArrayList<>();
      }
      batch.add(item);
    }
    while (!batch.isEmpty() && batch.size() < size && Arguments.or(given[1], null) != null) {
      on.budget().steps(1);
      batch.add(given[1]);
    }
    if (!batch.isEmpty()) {
      batches.add(batch);
    }
    return new Lazy(batches);
  }

  private static Object groups(Rendering on, Object value, Arguments arguments) {
    Object[] given = arguments.bound("attribute", "default", "case_sensitive");
    boolean exact = Arguments.flag(given[2]);
    List<Object> groups = new ArrayList<>();
    List<Object> group = List.of();
    Object last = null;
    List<Object> items =
        sorted(
            on,
            all(on, value),
            (a, b) ->
                Comparing.order(on, groupKey(on, a, given, exact), groupKey(on, b, given, exact)),
            false);
    for (Object item : items) {
      Object by = groupKey(on, item, given, exact);
      if (groups.isEmpty() || !Comparing.equal(on, by, last)) {
        group = new ArrayList<>();
        groups.add(Tuple.of(groupName(on, item, given), group));
        last = by;
      }
      group.add(item);
    }
    return groups;
  }

  private static Object groupName(Rendering on, Object item, Object[] given) {
    Object name = PickFilters.attribute(on, item, given[0]);
    return name instanceof Undefined && given[1] != Arguments.NONE ? given[1] : name;
  }

  private static Object groupKey(Rendering on, Object item, Object[] given, boolean exact) {
    return key(groupName(on, item, given), exact);
  }
}
