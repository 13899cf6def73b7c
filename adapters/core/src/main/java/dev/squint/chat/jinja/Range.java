package dev.squint.chat.jinja;

import java.util.AbstractList;

/** Python's {@code range}, of up to as many numbers as jinja2's sandbox allows. */
final class Range extends AbstractList<Object> {

  private static final int MOST = 100_000;
  private static final long FARTHEST = 1L << 60;

  private final long start;
  private final long step;
  private final int size;

  Range(long start, long end, long step) {
    if (step == 0) {
      throw Fault.of("range() has a step of 0");
    }
    if (Math.abs(start) > FARTHEST || Math.abs(end) > FARTHEST) {
      throw Fault.of("range() reaches beyond %,d", FARTHEST);
    }
    long span = end - start;
    long count = span == 0 || span > 0 != step > 0 ? 0 : (span - Long.signum(step)) / step + 1;
    if (count > MOST) {
      throw Fault.of("range() has more than %,d numbers", MOST);
    }
    this.start = start;
    this.step = step;
    this.size = (int) count;
  }

  static Object of(Rendering on, Arguments arguments) {
    Object[] given = arguments.of("range").positional(1, 3);
    long first = Values.index(given[0]);
    return given.length == 1
        ? new Range(0, first, 1)
        : new Range(first, Values.index(given[1]), given.length == 2 ? 1 : Values.index(given[2]));
  }

  @Override
  public Object get(int index) {
    return start + step * index;
  }

  @Override
  public int size() {
    return size;
  }
}
