package dev.squint.chat.jinja;

import java.util.List;
import java.util.Map;
import java.util.Objects;

/** How Python compares values. */
final class Comparing {

  private static final int DEEPEST = 50;

  private Comparing() {}

  static boolean holds(Rendering on, String operator, Object left, Object right) {
    return switch (operator) {
      case "==" -> equal(on, left, right);
      case "!=" -> !equal(on, left, right);
      case "<" -> order(on, left, right) < 0;
      case "<=" -> order(on, left, right) <= 0;
      case ">" -> order(on, left, right) > 0;
      case ">=" -> order(on, left, right) >= 0;
      case "in" -> contains(on, right, left);
      default -> !contains(on, right, left);
    };
  }

  static boolean equal(Rendering on, Object left, Object right) {
    return equal(on, left, right, 0);
  }

  private static boolean equal(Rendering on, Object left, Object right, int depth) {
    pay(on, left, right, depth);
    if (Arithmetic.isNumber(left) && Arithmetic.isNumber(right)) {
      return Arithmetic.compare(left, right) == 0;
    }
    if (left instanceof Undefined || right instanceof Undefined) {
      return left instanceof Undefined && right instanceof Undefined;
    }
    if (left instanceof Markup || right instanceof Markup) {
      throw Fault.of("a safe text is compared");
    }
    if (left instanceof List<?> a && right instanceof List<?> b) {
      if (!Values.type(left).equals(Values.type(right)) || a.size() != b.size()) {
        return false;
      }
      for (int i = 0; i < a.size(); i++) {
        if (a.get(i) != b.get(i) && !equal(on, a.get(i), b.get(i), depth + 1)) {
          return false;
        }
      }
      return true;
    }
    if (left instanceof Map<?, ?> a && right instanceof Map<?, ?> b) {
      return a.size() == b.size()
          && a.entrySet().stream()
              .allMatch(
                  e ->
                      b.containsKey(e.getKey())
                          && equal(on, e.getValue(), b.get(e.getKey()), depth + 1));
    }
    if (left instanceof View || right instanceof View) {
      throw Fault.of("a %s is compared", Values.type(left instanceof View ? left : right));
    }
    return Objects.equals(left, right);
  }

  private static void pay(Rendering on, Object left, Object right, int depth) {
    on.budget().steps(1);
    if (depth > DEEPEST) {
      throw Fault.of("values nested more than %d deep are compared", DEEPEST);
    }
    if (left instanceof String a && right instanceof String b) {
      on.budget().search(Math.min(a.length(), b.length()), 1);
    }
  }

  /** Less than 0, 0 or more, where Python can tell. */
  static int order(Rendering on, Object left, Object right) {
    return order(on, left, right, 0);
  }

  private static int order(Rendering on, Object left, Object right, int depth) {
    pay(on, left, right, depth);
    if (Arithmetic.isNumber(left) && Arithmetic.isNumber(right)) {
      return Arithmetic.compare(left, right);
    }
    if (left instanceof String a && right instanceof String b) {
      return order(a, b);
    }
    if (left instanceof List<?> a
        && right instanceof List<?> b
        && Values.type(left).equals(Values.type(right))) {
      for (int i = 0; i < Math.min(a.size(), b.size()); i++) {
        if (!equal(on, a.get(i), b.get(i), depth + 1)) {
          return order(on, a.get(i), b.get(i), depth + 1);
        }
      }
      return Integer.compare(a.size(), b.size());
    }
    throw Fault.of("a %s and a %s are put in order", Values.type(left), Values.type(right));
  }

  /** By code points, where Java goes by halves of them. */
  private static int order(String a, String b) {
    for (int i = 0; i < Math.min(a.length(), b.length()); i++) {
      if (a.charAt(i) != b.charAt(i)) {
        boolean halves = Character.isSurrogate(a.charAt(i)) != Character.isSurrogate(b.charAt(i));
        int order = Character.compare(a.charAt(i), b.charAt(i));
        return halves ? Character.isSurrogate(a.charAt(i)) ? 1 : -1 : order;
      }
    }
    return Integer.compare(a.length(), b.length());
  }

  static boolean contains(Rendering on, Object whole, Object part) {
    if (whole instanceof String text) {
      String wanted = Values.string(part);
      on.budget().search(text.length(), wanted.length());
      return text.contains(wanted);
    }
    if (whole instanceof Map<?, ?> map) {
      return map.containsKey(Values.key(part));
    }
    for (Object item : Values.list(on, whole)) {
      on.budget().steps(1);
      if (equal(on, item, part)) {
        return true;
      }
    }
    return false;
  }
}
