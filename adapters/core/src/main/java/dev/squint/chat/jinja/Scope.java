package dev.squint.chat.jinja;

import java.util.HashMap;
import java.util.Map;

/** Names as a part of a template sees them. */
final class Scope {

  private final Scope outer;
  private final Map<String, Object> values = new HashMap<>();

  Scope(Scope outer) {
    this.outer = outer;
  }

  void set(String name, Object value) {
    values.put(name, value);
  }

  /** The nearest scope with a name, or null. */
  Scope holderOf(String name) {
    for (Scope scope = this; scope != null; scope = scope.outer) {
      if (scope.values.containsKey(name)) {
        return scope;
      }
    }
    return null;
  }

  Object get(String name) {
    return values.get(name);
  }
}
