package dev.squint.chat.jinja;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Cuts texts as Python does. */
final class TextParts {

  private TextParts() {}

  static List<Object> split(Rendering on, String text, Arguments arguments, boolean fromEnd) {
    Object[] given = arguments.bound("sep", "maxsplit");
    long most = given[1] == Arguments.NONE ? -1 : Values.index(given[1]);
    long cuts = most < 0 ? Long.MAX_VALUE : most;
    if (Arguments.or(given[0], null) == null) {
      return fromEnd ? wordsFromEnd(on, text, cuts) : words(on, text, cuts);
    }
    String at = Values.string(given[0]);
    if (at.isEmpty()) {
      throw Fault.of("%s has an empty separator", arguments.to());
    }
    on.budget().search(text.length(), at.length());
    return fromEnd ? splitFromEnd(on, text, at, cuts) : split(on, text, at, cuts);
  }

  private static List<Object> split(Rendering on, String text, String separator, long cuts) {
    List<Object> parts = new ArrayList<>();
    int from = 0;
    for (long left = cuts; left > 0; left--) {
      int at = text.indexOf(separator, from);
      if (at < 0) {
        break;
      }
      add(on, parts, text, from, at);
      from = at + separator.length();
    }
    add(on, parts, text, from, text.length());
    return parts;
  }

  private static List<Object> splitFromEnd(Rendering on, String text, String separator, long cuts) {
    List<Object> parts = new ArrayList<>();
    int end = text.length();
    for (long left = cuts; left > 0; left--) {
      int at =
          end < separator.length() ? -1 : text.lastIndexOf(separator, end - separator.length());
      if (at < 0) {
        break;
      }
      add(on, parts, text, at + separator.length(), end);
      end = at;
    }
    add(on, parts, text, 0, end);
    Collections.reverse(parts);
    return parts;
  }

  private static List<Object> words(Rendering on, String text, long cuts) {
    List<Object> parts = new ArrayList<>();
    int at = Whitespace.skip(text, 0);
    for (long left = cuts; at < text.length(); left--) {
      if (left == 0) {
        add(on, parts, text, at, text.length());
        break;
      }
      int end = at;
      while (end < text.length() && !Whitespace.is(text.charAt(end))) {
        end++;
      }
      add(on, parts, text, at, end);
      at = Whitespace.skip(text, end);
    }
    return parts;
  }

  private static List<Object> wordsFromEnd(Rendering on, String text, long cuts) {
    List<Object> parts = new ArrayList<>();
    int end = Whitespace.stripEnd(text).length();
    for (long left = cuts; end > 0; left--) {
      if (left == 0) {
        add(on, parts, text, 0, end);
        break;
      }
      int at = end;
      while (at > 0 && !Whitespace.is(text.charAt(at - 1))) {
        at--;
      }
      add(on, parts, text, at, end);
      end = Whitespace.stripEnd(text.substring(0, at)).length();
    }
    Collections.reverse(parts);
    return parts;
  }

  private static void add(Rendering on, List<Object> parts, String text, int from, int to) {
    on.budget().steps(1);
    parts.add(on.made(text.substring(from, to)));
  }

  static List<Object> lines(Rendering on, String text, boolean withEnds) {
    List<Object> lines = new ArrayList<>();
    int from = 0;
    for (int i = 0; i < text.length(); i++) {
      if (!Whitespace.endsLine(text.charAt(i))) {
        continue;
      }
      int end = text.startsWith("\r\n", i) ? i + 2 : i + 1;
      add(on, lines, text, from, withEnds ? end : i);
      from = end;
      i = end - 1;
    }
    if (from < text.length()) {
      add(on, lines, text, from, text.length());
    }
    return lines;
  }

  static Object partition(Rendering on, String text, Arguments arguments, boolean fromEnd) {
    String at = Values.string(arguments.positional(1, 1)[0]);
    if (at.isEmpty()) {
      throw Fault.of("%s has an empty separator", arguments.to());
    }
    on.budget().search(text.length(), at.length());
    int place = fromEnd ? text.lastIndexOf(at) : text.indexOf(at);
    if (place < 0) {
      return new Tuple(fromEnd ? List.of("", "", text) : List.of(text, "", ""));
    }
    return new Tuple(List.of(text.substring(0, place), at, text.substring(place + at.length())));
  }

  static Object count(Rendering on, String text, String wanted) {
    on.budget().search(text.length(), wanted.length());
    if (wanted.isEmpty()) {
      return Values.length(text) + 1;
    }
    long count = 0;
    for (int at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length())) {
      count++;
    }
    return count;
  }
}
