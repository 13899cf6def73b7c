package dev.squint.chat.jinja;

import java.util.LinkedHashMap;
import java.util.Map;

/** The one kind of value whose attributes a template may set. */
final class Namespace {

  private final Map<String, Object> attributes = new LinkedHashMap<>();

  static Object of(Rendering on, Arguments arguments) {
    Namespace namespace = new Namespace();
    Globals.entries(on, "namespace", arguments)
        .forEach((name, value) -> namespace.attributes.put(String.valueOf(name), value));
    return namespace;
  }

  void set(String name, Object value) {
    attributes.put(name, value);
  }

  Object get(String name) {
    return attributes.containsKey(name) ? attributes.get(name) : new Undefined(name);
  }
}
