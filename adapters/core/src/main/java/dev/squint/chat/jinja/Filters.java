package dev.squint.chat.jinja;

import java.util.LinkedHashMap;
import java.util.Map;

/** The filters of jinja2 that are here; a template that uses another is refused when it is read. */
final class Filters {

  private static final Map<String, Filter> FILTERS = all();

  private Filters() {}

  private static Map<String, Filter> all() {
    Map<String, Filter> all = new LinkedHashMap<>(TextFilters.all());
    all.putAll(ListFilters.all());
    all.putAll(PickFilters.all());
    all.putAll(ValueFilters.all());
    return Map.copyOf(all);
  }

  static boolean isKnown(String name) {
    return FILTERS.containsKey(name);
  }

  static Filter get(String name) {
    Filter filter = FILTERS.get(name);
    if (filter == null) {
      throw Fault.of("the filter '%s' is not known", name);
    }
    return filter;
  }
}
