package dev.squint.chat.jinja;

import java.util.List;
import java.util.Map;

/** The simple forms of Python's {@code %}, {@code format} and padding. */
final class TextFormats {

  private TextFormats() {}

  /** {@code format % values}, of {@code %s}, {@code %r}, {@code %d} and {@code %%}. */
  static String percent(Rendering on, String format, Object values) {
    List<?> given = values instanceof Tuple tuple ? tuple : java.util.Arrays.asList(values);
    StringBuilder out = new StringBuilder();
    int next = 0;
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      if (c != '%') {
        out.append(c);
        continue;
      }
      char kind = ++i < format.length() ? format.charAt(i) : ' ';
      if (kind == '%') {
        out.append('%');
        continue;
      }
      if ("srdi".indexOf(kind) < 0 || next == given.size()) {
        throw Fault.of("a text is formatted by '%%%s', or has too few values for it", kind);
      }
      Object value = given.get(next++);
      out.append(
          kind == 's'
              ? Text.of(on, value)
              : kind == 'r' ? Text.quoted(on, value) : Long.toString(Values.index(value)));
      on.budget().characters(out.length());
    }
    if (next < given.size() && !(values instanceof Map && next == 0)) {
      throw Fault.of("a text is formatted with more values than it takes");
    }
    return on.made(out.toString());
  }

  /** {@code text.format(...)} of plain fields. */
  static String format(Rendering on, String text, Arguments arguments) {
    StringBuilder out = new StringBuilder();
    int next = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c != '{' && c != '}') {
        out.append(c);
        continue;
      }
      if (i + 1 < text.length() && text.charAt(i + 1) == c) {
        out.append(c);
        i++;
        continue;
      }
      int end = text.indexOf('}', i);
      if (c == '}' || end < 0) {
        throw Fault.of("format() has a single brace");
      }
      String field = text.substring(i + 1, end);
      Object value;
      if (field.isEmpty() || field.matches("\\d{1,4}")) {
        int place = field.isEmpty() ? next++ : Integer.parseInt(field);
        if (place >= arguments.positional().size()) {
          throw Fault.of("format() has too few arguments");
        }
        value = arguments.positional().get(place);
      } else if (arguments.named().containsKey(field)) {
        value = arguments.named().get(field);
      } else {
        throw Fault.of("format() has a field '%s', which is not supported", field);
      }
      out.append(Text.of(on, value));
      on.budget().characters(out.length());
      i = end;
    }
    return out.toString();
  }

  static String padded(Rendering on, String text, String name, Arguments arguments) {
    if (name.equals("expandtabs")) {
      throw Fault.of("expandtabs() is not supported");
    }
    Object[] given = arguments.positional(1, name.equals("zfill") ? 1 : 2);
    String with = given.length > 1 ? Values.string(given[1]) : name.equals("zfill") ? "0" : " ";
    if (Values.length(with) != 1) {
      throw Fault.of("%s pads with what is not one character", arguments.to());
    }
    long missing = Values.index(given[0]) - Values.length(text);
    if (missing <= 0) {
      return text;
    }
    long before =
        switch (name) {
          case "ljust" -> 0;
          case "center" -> missing / 2 + (missing & Values.index(given[0]) & 1);
          default -> missing;
        };
    String start = TextMethods.repeated(on, with, before);
    if (name.equals("zfill") && !text.isEmpty() && "+-".indexOf(text.charAt(0)) >= 0) {
      return text.charAt(0) + start + text.substring(1);
    }
    return start + text + TextMethods.repeated(on, with, missing - before);
  }
}
