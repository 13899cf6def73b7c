package dev.squint.chat.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** {@code json.dumps(value, ensure_ascii=False)}, as the {@code tojson} of transformers. */
final class Json {

  private static final int DEEPEST = 100;

  private final Rendering on;
  private final String indent;
  private final String between;
  private final String afterKey;
  private final boolean sorted;
  private final boolean ascii;
  private final StringBuilder out = new StringBuilder();

  private Json(
      Rendering on, String indent, String between, String afterKey, boolean sorted, boolean ascii) {
    this.on = on;
    this.indent = indent;
    this.between = between;
    this.afterKey = afterKey;
    this.sorted = sorted;
    this.ascii = ascii;
  }

  static Object filter(Rendering on, Object value, Arguments arguments) {
    Object[] given = arguments.bound("ensure_ascii", "indent", "separators", "sort_keys");
    Object indent = Arguments.or(given[1], null);
    String space =
        indent == null
            ? null
            : indent instanceof String text
                ? text
                : TextMethods.repeated(on, " ", Values.index(indent));
    String between = space == null ? ", " : ",";
    String afterKey = ": ";
    if (Arguments.or(given[2], null) != null) {
      List<Object> separators = Values.list(on, given[2]);
      if (separators.size() != 2) {
        throw Fault.of("filter 'tojson' has 'separators' that are not two");
      }
      between = Values.string(separators.get(0));
      afterKey = Values.string(separators.get(1));
    }
    Json json =
        new Json(on, space, between, afterKey, Arguments.flag(given[3]), Arguments.flag(given[0]));
    json.write(value, 0);
    return on.made(json.out.toString());
  }

  private void write(Object value, int depth) {
    on.budget().steps(1);
    if (depth > DEEPEST) {
      throw Fault.of("a value is nested more than %d deep", DEEPEST);
    }
    if (value instanceof String text) {
      writeString(text);
    } else if (value instanceof Markup markup) {
      writeString(markup.text());
    } else if (value instanceof Map<?, ?> map) {
      List<Map.Entry<?, ?>> entries = new ArrayList<>(map.entrySet());
      if (sorted) {
        entries.sort((a, b) -> Comparing.order(on, a.getKey(), b.getKey()));
      }
      writeAll('{', '}', entries, depth);
    } else if (value instanceof List<?> list) {
      writeAll('[', ']', list, depth);
    } else {
      out.append(plain(value));
    }
    on.budget().characters(depth == 0 ? out.length() : 0);
  }

  private static String plain(Object value) {
    if (value == null) {
      return "null";
    }
    if (value instanceof Boolean || value instanceof Long) {
      return value.toString();
    }
    if (value instanceof Double number) {
      return Double.isNaN(number)
          ? "NaN"
          : Double.isInfinite(number) ? number > 0 ? "Infinity" : "-Infinity" : Text.number(number);
    }
    throw Fault.of("a %s is written as JSON", Values.type(value));
  }

  private void writeAll(char open, char close, List<?> items, int depth) {
    out.append(open);
    for (int i = 0; i < items.size(); i++) {
      out.append(i == 0 ? "" : between);
      newLine(depth + 1);
      if (items.get(i) instanceof Map.Entry<?, ?> entry && open == '{') {
        writeString(entry.getKey() instanceof String text ? text : plain(entry.getKey()));
        out.append(afterKey);
        write(entry.getValue(), depth + 1);
      } else {
        write(items.get(i), depth + 1);
      }
    }
    if (!items.isEmpty()) {
      newLine(depth);
    }
    out.append(close);
  }

  private void newLine(int depth) {
    if (indent != null) {
      on.budget().characters((long) indent.length() * depth);
      out.append('\n').append(indent.repeat(depth));
    }
  }

  private void writeString(String text) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        case '\b' -> out.append("\\b");
        case '\f' -> out.append("\\f");
        default -> {
          if (c < ' ' || ascii && c > '~') {
            out.append("\\u%04x".formatted((int) c));
          } else {
            out.append(c);
          }
        }
      }
    }
    out.append('"');
  }
}
