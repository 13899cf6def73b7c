package dev.squint.chat.jinja;

import com.hubspot.jinjava.tree.Node;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A part of a template that is called.
 *
 * @param name its name
 * @param parameters their names, each with what it is without an argument, or null
 * @param body what it prints
 * @param scope the names it sees
 */
record Macro(String name, Map<String, Expression> parameters, List<Node> body, Scope scope)
    implements Callable {

  @Override
  public Object call(Rendering on, Arguments arguments) {
    on.budget().enter();
    String text =
        on.within(
            scope,
            () -> {
              bind(on, arguments);
              return on.body(body);
            });
    on.budget().leave();
    return text;
  }

  private void bind(Rendering on, Arguments arguments) {
    Map<String, Object> named = new LinkedHashMap<>(arguments.named());
    List<Object> positional = arguments.positional();
    int place = 0;
    for (Map.Entry<String, Expression> parameter : parameters.entrySet()) {
      String key = parameter.getKey();
      Object value;
      if (place < positional.size()) {
        if (named.containsKey(key)) {
          throw Fault.of("the macro '%s' gets '%s' twice", name, key);
        }
        value = positional.get(place);
      } else if (named.containsKey(key)) {
        value = named.remove(key);
      } else {
        value = parameter.getValue() == null ? new Undefined(key) : on.value(parameter.getValue());
      }
      on.scope().set(key, value);
      place++;
    }
    rest(
        on,
        "varargs",
        positional.size() > place,
        () ->
            new Tuple(
                positional.subList(
                    Math.min(positional.size(), parameters.size()), positional.size())));
    if (named.containsKey("caller") && on.program().uses("caller")) {
      on.scope().set("caller", named.remove("caller"));
    } else if (on.program().uses("caller") && !parameters.containsKey("caller")) {
      on.scope().set("caller", new Undefined("caller"));
    }
    rest(on, "kwargs", !named.isEmpty(), () -> new LinkedHashMap<Object, Object>(named));
  }

  private void rest(
      Rendering on, String key, boolean isThere, java.util.function.Supplier<Object> values) {
    if (on.program().uses(key)) {
      on.scope().set(key, values.get());
    } else if (isThere) {
      throw Fault.of("the macro '%s' gets arguments that it does not have", name);
    }
  }
}
