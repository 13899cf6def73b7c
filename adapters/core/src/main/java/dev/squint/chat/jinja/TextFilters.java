package dev.squint.chat.jinja;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Filters that take a text, or any value as the text that it prints. */
final class TextFilters {

  private TextFilters() {}

  private interface OfText {
    Object apply(Rendering on, String text, Arguments arguments);
  }

  private static Map.Entry<String, Filter> entry(String name, OfText filter) {
    return Map.entry(
        name,
        (on, value, arguments) -> {
          String text = Text.of(on, value);
          on.budget().search(text.length(), 1);
          Object made = filter.apply(on, text, arguments);
          return made instanceof String string ? on.made(string) : made;
        });
  }

  private static Map.Entry<String, Filter> plain(
      String name, java.util.function.UnaryOperator<String> filter) {
    return entry(
        name,
        (on, text, arguments) -> {
          arguments.positional(0, 0);
          return filter.apply(text);
        });
  }

  static Map<String, Filter> all() {
    return Map.ofEntries(
        plain("upper", text -> text.toUpperCase(Locale.ROOT)),
        plain("lower", text -> text.toLowerCase(Locale.ROOT)),
        plain("capitalize", TextMethods::capitalized),
        plain("title", TextFilters::titled),
        Map.entry("string", (on, value, a) -> value instanceof Markup ? value : Text.of(on, value)),
        entry("safe", (on, text, a) -> new Markup(text)),
        Map.entry("escape", TextFilters::escaped),
        Map.entry("e", TextFilters::escaped),
        entry("trim", TextFilters::trimmed),
        entry("replace", TextFilters::replaced),
        Map.entry("indent", TextFilters::indented),
        entry("center", TextFilters::centered),
        entry("format", TextFilters::formatted),
        Map.entry("truncate", TextFilters::truncated),
        plainLong("wordcount"));
  }

  private static Map.Entry<String, Filter> plainLong(String name) {
    return entry(
        name,
        (on, text, a) -> {
          long words = 0;
          boolean within = false;
          for (int c : text.codePoints().toArray()) {
            boolean isWord = Character.isLetterOrDigit(c) || c == '_';
            words += isWord && !within ? 1 : 0;
            within = isWord;
          }
          return words;
        });
  }

  /** By jinja2's own rule: letters after spaces, hyphens and opening brackets become large. */
  private static String titled(String text) {
    StringBuilder out = new StringBuilder(text.length());
    boolean begins = true;
    for (int i = 0; i < text.length(); ) {
      int c = text.codePointAt(i);
      String letter = Character.toString(c);
      out.append(begins ? letter.toUpperCase(Locale.ROOT) : letter.toLowerCase(Locale.ROOT));
      begins = Whitespace.is(c) || "-({[<".indexOf(c) >= 0;
      i += Character.charCount(c);
    }
    return out.toString();
  }

  private static Object escaped(Rendering on, Object value, Arguments arguments) {
    arguments.positional(0, 0);
    if (value instanceof Markup) {
      return value;
    }
    StringBuilder out = new StringBuilder();
    for (char c : Text.of(on, value).toCharArray()) {
      switch (c) {
        case '&' -> out.append("&amp;");
        case '<' -> out.append("&lt;");
        case '>' -> out.append("&gt;");
        case '\'' -> out.append("&#39;");
        case '"' -> out.append("&#34;");
        default -> out.append(c);
      }
    }
    return new Markup(on.made(out.toString()));
  }

  private static Object trimmed(Rendering on, String text, Arguments arguments) {
    Object characters = Arguments.or(arguments.bound("chars")[0], null);
    String which = characters == null ? null : Values.string(characters);
    return TextMethods.stripped(text, which, true, true);
  }

  private static Object replaced(Rendering on, String text, Arguments arguments) {
    Object[] given = arguments.bound("old", "new", "count");
    Object count = Arguments.or(given[2], null);
    return TextMethods.replaced(
        on,
        text,
        Text.of(on, given[0]),
        Text.of(on, given[1]),
        count == null ? -1 : Values.index(count));
  }

  private static Object indented(Rendering on, Object value, Arguments arguments) {
    Object[] given = arguments.bound("width", "first", "blank");
    Object width = Arguments.or(given[0], 4L);
    String space =
        width instanceof String text ? text : TextMethods.repeated(on, " ", Values.index(width));
    boolean blank = Arguments.flag(given[2]);
    List<Object> lines = TextParts.lines(on, Values.string(value) + "\n", false);
    StringBuilder out = new StringBuilder(Arguments.flag(given[1]) ? space : "");
    for (int i = 0; i < lines.size(); i++) {
      String line = (String) lines.get(i);
      on.budget().characters(space.length());
      out.append(i == 0 ? "" : "\n");
      out.append(i == 0 || line.isEmpty() && !blank ? "" : space).append(line);
    }
    return on.made(out.toString());
  }

  private static Object centered(Rendering on, String text, Arguments arguments) {
    Object width = Arguments.or(arguments.bound("width")[0], 80L);
    return TextMethods.of(text, "center").call(on, Arguments.of(width));
  }

  private static Object formatted(Rendering on, String text, Arguments arguments) {
    if (!arguments.named().isEmpty()) {
      throw Fault.of("filter 'format' has named arguments, which is not supported");
    }
    return TextFormats.percent(on, text, new Tuple(arguments.positional()));
  }

  private static Object truncated(Rendering on, Object value, Arguments arguments) {
    Object[] given = arguments.bound("length", "killwords", "end", "leeway");
    long length = Values.index(Arguments.or(given[0], 255L));
    String end = Values.string(Arguments.or(given[2], "..."));
    Object leeway = Arguments.or(given[3], null);
    String text = Values.string(value);
    long kept = length - Values.length(end);
    if (kept < 0) {
      throw Fault.of("filter 'truncate' has an end that is longer than its length");
    }
    if (Values.length(text) <= length + (leeway == null ? 5 : Values.index(leeway))) {
      return text;
    }
    String start = (String) Slices.slice(on, text, null, kept, null);
    int space = Arguments.flag(given[1]) ? -1 : start.lastIndexOf(' ');
    return on.made((space < 0 ? start : start.substring(0, space)) + end);
  }
}
