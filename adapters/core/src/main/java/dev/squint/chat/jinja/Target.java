package dev.squint.chat.jinja;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Set;

/**
 * What a value is assigned to.
 *
 * @param names names, one or several
 * @param attribute of a namespace, the attribute that is set, else null
 * @param unpacks whether each name takes an item of the value
 */
record Target(List<String> names, String attribute, boolean unpacks) {

  private static final Set<String> RESERVED =
      Set.of("true", "false", "none", "True", "False", "None", "loop");

  static Target of(TokenStream tokens, boolean mayBeAttribute) {
    boolean parenthesised = tokens.skip("(");
    List<String> names = new ArrayList<>();
    names.add(name(tokens));
    if (mayBeAttribute && !parenthesised && tokens.skip(".")) {
      return new Target(names, tokens.name(), false);
    }
    boolean unpacks = false;
    while (tokens.skip(",")) {
      unpacks = true;
      if (tokens.current().kind() != Token.Kind.NAME || tokens.isName("in")) {
        break;
      }
      names.add(name(tokens));
    }
    if (parenthesised) {
      tokens.expect(")");
    }
    return new Target(List.copyOf(names), null, unpacks);
  }

  private static String name(TokenStream tokens) {
    String name = tokens.name();
    if (RESERVED.contains(name)) {
      throw tokens.fault("'%s' is assigned to", name);
    }
    return name;
  }

  void assign(Rendering on, Object value) {
    if (attribute != null) {
      if (!(on.named(names.get(0)) instanceof Namespace namespace)) {
        throw Fault.of("'%s.%s' is set, but it is no namespace", names.get(0), attribute);
      }
      namespace.set(attribute, value);
    } else if (!unpacks) {
      on.scope().set(names.get(0), value);
    } else {
      Iterator<Object> items = Values.iterate(on, value);
      for (String name : names) {
        if (!items.hasNext()) {
          throw Fault.of("a value has fewer items than the names that take them");
        }
        on.scope().set(name, items.next());
      }
      if (items.hasNext()) {
        throw Fault.of("a value has more items than the names that take them");
      }
    }
  }
}
