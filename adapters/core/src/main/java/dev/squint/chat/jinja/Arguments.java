package dev.squint.chat.jinja;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What is passed to a function, filter, test or macro.
 *
 * @param to what it is passed to, for messages
 * @param positional by place
 * @param named by name
 */
record Arguments(String to, List<Object> positional, Map<String, Object> named) {

  /** In the place of an argument that is not passed. */
  static final Object NONE = new Undefined("an argument");

  static Arguments of(Object... values) {
    return new Arguments("call", Arrays.asList(values), Map.of());
  }

  Arguments of(String receiver) {
    return new Arguments(receiver, positional, named);
  }

  /** Without the first few by place. */
  Arguments from(int first) {
    return new Arguments(to, positional.subList(first, positional.size()), named);
  }

  /** The arguments by place alone. */
  Object[] positional(int least, int most) {
    if (!named.isEmpty() || positional.size() < least || positional.size() > most) {
      throw Fault.of("%s does not take these arguments", to);
    }
    return positional.toArray();
  }

  /** The arguments in the order of their names, {@link #NONE} for those that are not passed. */
  Object[] bound(String... names) {
    if (positional.size() > names.length) {
      throw Fault.of("%s has more than %d arguments", to, names.length);
    }
    Object[] bound = Arrays.copyOf(positional.toArray(), names.length);
    Arrays.fill(bound, positional.size(), names.length, NONE);
    Map<String, Object> left = new LinkedHashMap<>(named);
    for (int i = positional.size(); i < names.length; i++) {
      if (left.containsKey(names[i])) {
        bound[i] = left.remove(names[i]);
      }
    }
    if (!left.isEmpty()) {
      throw Fault.of("%s does not take '%s'", to, left.keySet().iterator().next());
    }
    return bound;
  }

  static Object or(Object argument, Object instead) {
    return argument == NONE ? instead : argument;
  }

  static boolean flag(Object argument) {
    return argument != NONE && Values.truth(argument);
  }
}
