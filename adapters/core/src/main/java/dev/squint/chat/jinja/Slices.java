package dev.squint.chat.jinja;

import java.util.ArrayList;
import java.util.List;

/** Python's slices of texts, by code points, and of lists. */
final class Slices {

  private Slices() {}

  static Object slice(Rendering on, Object whole, Long from, Long to, Long step) {
    if (whole instanceof String text) {
      if (step == null || step == 1) {
        return range(on, text, from, to);
      }
      StringBuilder out = new StringBuilder();
      sliced(on, Values.list(on, text), from, to, step).forEach(out::append);
      return on.made(out.toString());
    }
    if (whole instanceof List<?> list) {
      List<Object> items = sliced(on, list, from, to, step == null ? 1 : step);
      return whole instanceof Tuple ? new Tuple(items) : items;
    }
    throw Fault.of("a slice of a %s is taken", Values.type(whole));
  }

  private static String range(Rendering on, String text, Long from, Long to) {
    on.budget().search(text.length(), 1);
    int length = text.codePointCount(0, text.length());
    int start = (int) bound(from, 0, length, 0, length);
    int end = (int) bound(to, length, length, 0, length);
    if (end <= start) {
      return "";
    }
    int first = text.offsetByCodePoints(0, start);
    return on.made(text.substring(first, text.offsetByCodePoints(first, end - start)));
  }

  private static List<Object> sliced(Rendering on, List<?> list, Long from, Long to, long step) {
    if (step == 0 || step == Long.MIN_VALUE) {
      throw Fault.of("a slice has a step of 0");
    }
    int size = list.size();
    int least = step > 0 ? 0 : -1;
    int most = step > 0 ? size : size - 1;
    long start = bound(from, step > 0 ? least : most, size, least, most);
    long end = bound(to, step > 0 ? most : least, size, least, most);
    List<Object> items = new ArrayList<>();
    for (long i = start; step > 0 ? i < end : i > end; i += step) {
      on.budget().steps(1);
      items.add(list.get((int) i));
      if (Math.abs(step) > size) {
        break;
      }
    }
    return items;
  }

  private static long bound(Long given, long instead, int size, long least, long most) {
    if (given == null) {
      return instead;
    }
    long place = given < 0 ? given + size : given;
    return Math.max(least, Math.min(most, place));
  }
}
