package dev.squint.chat.jinja;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.List;
import java.util.Map;

/** Values as Python's {@code str} and {@code repr} write them. */
final class Text {

  private static final int DEEPEST = 100;

  private Text() {}

  /** {@code str(value)}. */
  static String of(Rendering on, Object value) {
    if (value instanceof String text) {
      return text;
    }
    if (value instanceof Markup markup) {
      return markup.text();
    }
    if (value instanceof Undefined) {
      return "";
    }
    StringBuilder out = new StringBuilder();
    write(on, out, value, 0);
    return out.toString();
  }

  /** {@code repr(value)}. */
  static String quoted(Rendering on, Object value) {
    StringBuilder out = new StringBuilder();
    write(on, out, value, 0);
    return out.toString();
  }

  private static void write(Rendering on, StringBuilder out, Object value, int depth) {
    int before = out.length();
    on.budget().steps(1);
    if (depth > DEEPEST) {
      throw Fault.of("a value is nested more than %d deep", DEEPEST);
    }
    if (value == null) {
      out.append("None");
    } else if (value instanceof Boolean flag) {
      out.append(flag ? "True" : "False");
    } else if (value instanceof Long) {
      out.append(value);
    } else if (value instanceof Double number) {
      out.append(number(number));
    } else if (value instanceof String text) {
      writeQuoted(out, text);
    } else if (value instanceof Range) {
      throw Fault.of("a range is printed");
    } else if (value instanceof Tuple tuple) {
      writeItems(on, out, tuple, '(', depth);
      out.append(tuple.size() == 1 ? ",)" : ")");
    } else if (value instanceof List<?> list) {
      writeItems(on, out, list, '[', depth);
      out.append(']');
    } else if (value instanceof View view) {
      out.append(view.name()).append('(');
      write(on, out, view.items(), depth + 1);
      out.append(')');
    } else if (value instanceof Map<?, ?> map) {
      out.append('{');
      for (Map.Entry<?, ?> entry : map.entrySet()) {
        out.append(out.charAt(out.length() - 1) == '{' && out.length() == before + 1 ? "" : ", ");
        write(on, out, entry.getKey(), depth + 1);
        out.append(": ");
        write(on, out, entry.getValue(), depth + 1);
      }
      out.append('}');
    } else if (value instanceof Undefined && depth > 0) {
      out.append("Undefined");
    } else {
      throw Fault.of("a %s is printed", Values.type(value));
    }
    on.budget().characters(out.length() - before);
  }

  private static void writeItems(
      Rendering on, StringBuilder out, List<?> items, char open, int depth) {
    out.append(open);
    for (int i = 0; i < items.size(); i++) {
      out.append(i == 0 ? "" : ", ");
      write(on, out, items.get(i), depth + 1);
    }
  }

  private static void writeQuoted(StringBuilder out, String text) {
    char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
    out.append(quote);
    text.codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\\' -> out.append("\\\\");
                default -> {
                  if (c == quote) {
                    out.append('\\').append(quote);
                  } else if (isPrintable(c)) {
                    out.appendCodePoint(c);
                  } else {
                    out.append(
                        (c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x").formatted(c));
                  }
                }
              }
            });
    out.append(quote);
  }

  private static boolean isPrintable(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          false;
      case Character.SPACE_SEPARATOR -> c == ' ';
      default -> true;
    };
  }

  /** The shortest digits that stand for a number, as Python writes them. */
  static String number(double value) {
    if (Double.isNaN(value)) {
      return "nan";
    }
    if (Double.isInfinite(value)) {
      return value > 0 ? "inf" : "-inf";
    }
    if (value == 0) {
      return 1 / value < 0 ? "-0.0" : "0.0";
    }
    BigDecimal exact = new BigDecimal(value);
    BigDecimal shortest = exact;
    for (int digits = 1; digits <= 17; digits++) {
      shortest = exact.round(new MathContext(digits));
      if (shortest.doubleValue() == value) {
        break;
      }
    }
    shortest = shortest.stripTrailingZeros();
    int exponent = shortest.precision() - shortest.scale() - 1;
    if (exponent >= -4 && exponent < 16) {
      String plain = shortest.toPlainString();
      return plain.indexOf('.') < 0 ? plain + ".0" : plain;
    }
    String digits = shortest.unscaledValue().abs().toString();
    String fraction = digits.length() == 1 ? "" : "." + digits.substring(1);
    return "%s%c%se%c%02d"
        .formatted(
            value < 0 ? "-" : "",
            digits.charAt(0),
            fraction,
            exponent < 0 ? '-' : '+',
            Math.abs(exponent));
  }
}
