package dev.squint.chat.jinja;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;

/** How Python calculates; whole numbers beyond 64 bits are refused. */
final class Arithmetic {

  private Arithmetic() {}

  static boolean isNumber(Object value) {
    return value instanceof Long || value instanceof Double || value instanceof Boolean;
  }

  private static boolean isWhole(Object value) {
    return value instanceof Long || value instanceof Boolean;
  }

  static double real(Object value) {
    return value instanceof Double number ? number : Values.index(value);
  }

  static int compare(Object left, Object right) {
    if (isWhole(left) && isWhole(right)) {
      return Long.compare(Values.index(left), Values.index(right));
    }
    double a = real(left);
    double b = real(right);
    if (Double.isNaN(a) || Double.isNaN(b)) {
      throw Fault.of("what is no number is compared with a number");
    }
    if (Double.isInfinite(a) || Double.isInfinite(b)) {
      return Double.compare(a, b);
    }
    return exact(left).compareTo(exact(right));
  }

  private static BigDecimal exact(Object value) {
    return value instanceof Double number
        ? new BigDecimal(number)
        : BigDecimal.valueOf(Values.index(value));
  }

  static Object signed(boolean isNegative, Object value) {
    if (value instanceof Double number) {
      return isNegative ? -number : number;
    }
    if (!isWhole(value)) {
      throw Fault.of("a sign stands before a %s", Values.type(value));
    }
    return isNegative ? negated(Values.index(value)) : Values.index(value);
  }

  private static long negated(long value) {
    if (value == Long.MIN_VALUE) {
      throw tooLarge();
    }
    return -value;
  }

  private static Fault tooLarge() {
    return Fault.of("a number has more than 64 bits");
  }

  static Object apply(Rendering on, String operator, Object left, Object right) {
    if (isNumber(left) && isNumber(right)) {
      return isWhole(left) && isWhole(right)
          ? whole(operator, Values.index(left), Values.index(right))
          : real(operator, real(left), real(right));
    }
    if (operator.equals("+")) {
      if (left instanceof String a && right instanceof String b) {
        on.budget().characters((long) a.length() + b.length());
        return a + b;
      }
      if (left instanceof List<?> a
          && right instanceof List<?> b
          && Values.type(left).equals(Values.type(right))
          && !(left instanceof Range)) {
        on.budget().steps((long) a.size() + b.size());
        List<Object> joined = new ArrayList<>(a);
        joined.addAll(b);
        return left instanceof Tuple ? new Tuple(joined) : joined;
      }
    }
    if (operator.equals("*") && isWhole(left) != isWhole(right)) {
      return repeated(on, isWhole(left) ? right : left, Values.index(isWhole(left) ? left : right));
    }
    if (operator.equals("%") && left instanceof String format) {
      return TextFormats.percent(on, format, right);
    }
    Object missing = left instanceof Undefined ? left : right;
    throw missing instanceof Undefined undefined
        ? Fault.of("'%s' is not defined and stands next to '%s'", undefined.what(), operator)
        : Fault.of(
            "'%s' stands between a %s and a %s", operator, Values.type(left), Values.type(right));
  }

  private static Object repeated(Rendering on, Object what, long times) {
    if (what instanceof String text) {
      return TextMethods.repeated(on, text, times);
    }
    if (what instanceof List<?> list && !(what instanceof Range)) {
      List<Object> joined = new ArrayList<>();
      for (long i = 0; i < times && !list.isEmpty(); i++) {
        on.budget().steps(list.size());
        joined.addAll(list);
      }
      return what instanceof Tuple ? new Tuple(joined) : joined;
    }
    throw Fault.of("'*' stands between a number and a %s", Values.type(what));
  }

  private static Object whole(String operator, long a, long b) {
    try {
      return switch (operator) {
        case "+" -> (Object) Math.addExact(a, b);
        case "-" -> Math.subtractExact(a, b);
        case "*" -> Math.multiplyExact(a, b);
        case "/" -> a / (double) nonZero(b);
        case "//" -> b == -1 ? negated(a) : Math.floorDiv(a, nonZero(b));
        case "%" -> Math.floorMod(a, nonZero(b));
        default -> power(a, b);
      };
    } catch (ArithmeticException e) {
      throw tooLarge();
    }
  }

  private static long nonZero(long value) {
    if (value == 0) {
      throw Fault.of("a number is divided by zero");
    }
    return value;
  }

  private static Object power(long base, long exponent) {
    if (exponent < 0) {
      return real("**", (double) base, (double) exponent);
    }
    if (exponent > 64 && base != 0 && base != 1 && base != -1) {
      throw tooLarge();
    }
    long power = 1;
    for (long i = exponent > 64 ? exponent % 2 + 2 : exponent; i > 0; i--) {
      power = Math.multiplyExact(power, base);
    }
    return power;
  }

  private static Object real(String operator, double a, double b) {
    if (b == 0 && List.of("/", "//", "%").contains(operator) || operator.equals("**") && a <= 0) {
      throw Fault.of("a number is divided by zero, or zero or less is raised");
    }
    double result =
        switch (operator) {
          case "+" -> a + b;
          case "-" -> a - b;
          case "*" -> a * b;
          case "/" -> a / b;
          case "//" -> Math.floor(a / b);
          case "%" -> a - b * Math.floor(a / b);
          default -> Math.pow(a, b);
        };
    if (Double.isNaN(result) || Double.isInfinite(result)) {
      throw Fault.of("a calculation has no finite result");
    }
    return result;
  }
}
