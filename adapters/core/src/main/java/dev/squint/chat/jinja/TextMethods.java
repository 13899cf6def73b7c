package dev.squint.chat.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;

/** Methods of Python's texts. */
final class TextMethods {

  private TextMethods() {}

  private interface Method {
    Object call(Rendering on, Arguments given);
  }

  /** A method of a text, or null if it has none of that name. */
  static Callable of(String text, String name) {
    Method method = method(text, name);
    return method == null
        ? null
        : (on, given) -> {
          on.budget().search(text.length(), 1);
          Object result = method.call(on, given.of(name + "()"));
          return result instanceof String made ? on.made(made) : result;
        };
  }

  private static Method method(String text, String name) {
    return switch (name) {
      case "upper" -> (on, a) -> text.toUpperCase(Locale.ROOT);
      case "lower" -> (on, a) -> text.toLowerCase(Locale.ROOT);
      case "casefold" -> (on, a) -> text.toUpperCase(Locale.ROOT).toLowerCase(Locale.ROOT);
      case "capitalize" -> (on, a) -> capitalized(text);
      case "title" -> (on, a) -> titled(text);
      case "swapcase" -> (on, a) -> swapped(text);
      case "strip" -> (on, a) -> stripped(text, characters(a), true, true);
      case "lstrip" -> (on, a) -> stripped(text, characters(a), true, false);
      case "rstrip" -> (on, a) -> stripped(text, characters(a), false, true);
      case "startswith" -> (on, a) -> affix(a, part -> text.startsWith(part));
      case "endswith" -> (on, a) -> affix(a, part -> text.endsWith(part));
      case "removeprefix" ->
          (on, a) -> {
            String part = Values.string(a.positional(1, 1)[0]);
            return text.startsWith(part) ? text.substring(part.length()) : text;
          };
      case "removesuffix" ->
          (on, a) -> {
            String part = Values.string(a.positional(1, 1)[0]);
            return text.endsWith(part) ? text.substring(0, text.length() - part.length()) : text;
          };
      case "replace" ->
          (on, a) -> {
            Object[] given = a.bound("old", "new", "count");
            long count = given[2] == Arguments.NONE ? -1 : Values.index(given[2]);
            return replaced(on, text, Values.string(given[0]), Values.string(given[1]), count);
          };
      case "split" -> (on, a) -> TextParts.split(on, text, a, false);
      case "rsplit" -> (on, a) -> TextParts.split(on, text, a, true);
      case "splitlines" ->
          (on, a) -> TextParts.lines(on, text, Arguments.flag(a.bound("keepends")[0]));
      case "partition" -> (on, a) -> TextParts.partition(on, text, a, false);
      case "rpartition" -> (on, a) -> TextParts.partition(on, text, a, true);
      case "join" -> (on, a) -> joined(on, text, a.positional(1, 1)[0]);
      case "find" -> (on, a) -> found(on, text, a, false, false);
      case "rfind" -> (on, a) -> found(on, text, a, true, false);
      case "index" -> (on, a) -> found(on, text, a, false, true);
      case "rindex" -> (on, a) -> found(on, text, a, true, true);
      case "count" -> (on, a) -> TextParts.count(on, text, Values.string(a.positional(1, 1)[0]));
      case "format" -> (on, a) -> TextFormats.format(on, text, a);
      case "zfill", "ljust", "rjust", "center", "expandtabs" ->
          (on, a) -> TextFormats.padded(on, text, name, a);
      case "isdigit", "isnumeric", "isdecimal" ->
          (on, a) ->
              all(text, c -> Character.isDigit(c) || name.equals("isnumeric") && isNumber(c));
      case "isalpha" -> (on, a) -> all(text, Character::isLetter);
      case "isalnum" -> (on, a) -> all(text, c -> Character.isLetterOrDigit(c) || isNumber(c));
      case "isspace" -> (on, a) -> all(text, Whitespace::is);
      case "isupper" -> (on, a) -> cased(text, Character::isUpperCase);
      case "islower" -> (on, a) -> cased(text, Character::isLowerCase);
      case "istitle" ->
          (on, a) -> text.equals(titled(text)) && text.chars().anyMatch(TextMethods::isCased);
      default -> null;
    };
  }

  private static boolean isNumber(int c) {
    return Character.getType(c) == Character.OTHER_NUMBER
        || Character.getType(c) == Character.LETTER_NUMBER;
  }

  private static boolean all(String text, IntPredicate of) {
    return !text.isEmpty() && text.codePoints().allMatch(of);
  }

  private static boolean isCased(int c) {
    return Character.isUpperCase(c) || Character.isLowerCase(c) || Character.isTitleCase(c);
  }

  private static boolean cased(String text, IntPredicate wanted) {
    return text.codePoints().anyMatch(TextMethods::isCased)
        && text.codePoints().filter(TextMethods::isCased).allMatch(wanted);
  }

  static String capitalized(String text) {
    if (text.isEmpty()) {
      return text;
    }
    int first = text.codePointAt(0);
    return Character.toString(Character.toTitleCase(first))
        + text.substring(Character.charCount(first)).toLowerCase(Locale.ROOT);
  }

  private static String titled(String text) {
    StringBuilder out = new StringBuilder(text.length());
    boolean within = false;
    for (int c : text.codePoints().toArray()) {
      out.appendCodePoint(within ? Character.toLowerCase(c) : Character.toTitleCase(c));
      within = isCased(c);
    }
    return out.toString();
  }

  private static String swapped(String text) {
    StringBuilder out = new StringBuilder(text.length());
    text.codePoints()
        .forEach(
            c ->
                out.appendCodePoint(
                    Character.isUpperCase(c)
                        ? Character.toLowerCase(c)
                        : Character.toUpperCase(c)));
    return out.toString();
  }

  private static String characters(Arguments arguments) {
    Object[] given = arguments.positional(0, 1);
    return given.length == 0 || given[0] == null ? null : Values.string(given[0]);
  }

  /** Without the characters at its ends, null standing for white space. */
  static String stripped(String text, String characters, boolean atStart, boolean atEnd) {
    IntPredicate goes = characters == null ? Whitespace::is : c -> characters.indexOf(c) >= 0;
    int start = 0;
    int end = text.length();
    while (atStart && start < end) {
      int first = text.codePointAt(start);
      if (!goes.test(first)) {
        break;
      }
      start += Character.charCount(first);
    }
    while (atEnd && end > start) {
      int last = text.codePointBefore(end);
      if (!goes.test(last)) {
        break;
      }
      end -= Character.charCount(last);
    }
    return text.substring(start, end);
  }

  private static boolean affix(Arguments arguments, java.util.function.Predicate<String> is) {
    Object wanted = arguments.positional(1, 1)[0];
    if (wanted instanceof Tuple any) {
      return any.stream().anyMatch(part -> is.test(Values.string(part)));
    }
    return is.test(Values.string(wanted));
  }

  static String replaced(Rendering on, String text, String old, String now, long count) {
    on.budget().search(text.length(), old.length());
    if (old.isEmpty()) {
      throw Fault.of("replace() replaces nothing at all");
    }
    StringBuilder out = new StringBuilder();
    int from = 0;
    for (long left = count; left != 0; left--) {
      int at = text.indexOf(old, from);
      if (at < 0) {
        break;
      }
      on.budget().characters(now.length());
      out.append(text, from, at).append(now);
      from = at + old.length();
    }
    return out.append(text, from, text.length()).toString();
  }

  static String repeated(Rendering on, String text, long times) {
    if (times <= 0 || text.isEmpty()) {
      return "";
    }
    on.budget().characters(Math.min(times, Integer.MAX_VALUE) * text.length());
    return text.repeat((int) Math.min(times, Integer.MAX_VALUE));
  }

  private static String joined(Rendering on, String between, Object parts) {
    StringBuilder out = new StringBuilder();
    List<Object> all = new ArrayList<>();
    Values.iterate(on, parts).forEachRemaining(all::add);
    for (int i = 0; i < all.size(); i++) {
      String part = Values.string(all.get(i));
      on.budget().characters((long) between.length() + part.length());
      out.append(i == 0 ? "" : between).append(part);
    }
    return out.toString();
  }

  private static Object found(
      Rendering on, String text, Arguments arguments, boolean last, boolean must) {
    String wanted = Values.string(arguments.positional(1, 1)[0]);
    on.budget().search(text.length(), wanted.length());
    int at = last ? text.lastIndexOf(wanted) : text.indexOf(wanted);
    if (at < 0 && must) {
      throw Fault.of("%s finds nothing", arguments.to());
    }
    return at < 0 ? -1L : (long) text.codePointCount(0, at);
  }
}
