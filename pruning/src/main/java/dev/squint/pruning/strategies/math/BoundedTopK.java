package dev.squint.pruning.strategies.math;

/**
 * The few highest of the values that are offered, descending: among equals the first offered, and
 * none that is not a number.
 */
final class BoundedTopK {

  private final int[] tokens;
  private final float[] values;
  private int size;

  /**
   * Holds nothing yet.
   *
   * @param room how many at most, at least one
   */
  BoundedTopK(int room) {
    tokens = new int[room];
    values = new float[room];
  }

  void clear() {
    size = 0;
  }

  void offer(int token, float value) {
    if (size < values.length ? Float.isNaN(value) : !(value > values[size - 1])) {
      return;
    }
    int place = Math.min(size, values.length - 1);
    for (; place > 0 && values[place - 1] < value; place--) {
      values[place] = values[place - 1];
      tokens[place] = tokens[place - 1];
    }
    values[place] = value;
    tokens[place] = token;
    size = Math.min(size + 1, values.length);
  }

  /** What a value has to exceed to be held. */
  float least() {
    return isFull() ? values[size - 1] : Float.NEGATIVE_INFINITY;
  }

  int size() {
    return size;
  }

  boolean isFull() {
    return size == values.length;
  }

  int token(int place) {
    return tokens[place];
  }

  float value(int place) {
    return values[place];
  }
}
