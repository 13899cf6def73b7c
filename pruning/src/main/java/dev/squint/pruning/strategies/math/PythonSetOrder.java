package dev.squint.pruning.strategies.math;

import java.util.Arrays;

/**
 * The order in which CPython walks the copy of a set of whole numbers, none below 0.
 *
 * <p>Such numbers hash to themselves, so they stand in a table of a power of two in order of their
 * remainder; where two meet, the later one goes to the next free of the nine places after, or else
 * on by a rule that mixes its upper bits in. The table grows fourfold as it gets full to three
 * fifths, and a copy is made at twice its size at once. All of that has been the same from CPython
 * 3.7 on.
 */
public final class PythonSetOrder {

  private static final int SMALLEST = 8;
  private static final int BEHIND = 9;
  private static final int FREE = -1;

  private int[] table;
  private int used;

  private PythonSetOrder(int atLeast) {
    table = free(atLeast);
  }

  /**
   * Puts numbers into a set, copies it and walks the copy.
   *
   * @param numbers in the order in which they are put in
   * @return each of them once
   */
  public static int[] of(int[] numbers) {
    PythonSetOrder first = new PythonSetOrder(0);
    for (int number : numbers) {
      if (place(first.table, number)) {
        first.used++;
        first.grow();
      }
    }
    boolean small = first.used * 5 < (SMALLEST - 1) * 3;
    PythonSetOrder copy = new PythonSetOrder(small ? 0 : first.used * 2);
    if (copy.table.length == first.table.length) {
      copy = first;
    } else {
      copy.takeAll(first.table);
    }
    return Arrays.stream(copy.table).filter(number -> number != FREE).toArray();
  }

  private void grow() {
    if (used * 5 >= (table.length - 1) * 3) {
      int[] before = table;
      table = free(used * 4);
      takeAll(before);
    }
  }

  private void takeAll(int[] others) {
    for (int number : others) {
      if (number != FREE) {
        place(table, number);
      }
    }
  }

  private static int[] free(int atLeast) {
    int size = SMALLEST;
    while (size <= atLeast) {
      size *= 2;
    }
    int[] table = new int[size];
    Arrays.fill(table, FREE);
    return table;
  }

  /** Returns whether it was not there yet. */
  private static boolean place(int[] table, int number) {
    int mask = table.length - 1;
    int upper = number;
    for (int start = number & mask; ; start = (start * 5 + 1 + upper) & mask) {
      int last = start + BEHIND <= mask ? start + BEHIND : start;
      for (int i = start; i <= last; i++) {
        if (table[i] == FREE) {
          table[i] = number;
          return true;
        }
        if (table[i] == number) {
          return false;
        }
      }
      upper >>>= 5;
    }
  }
}
