package dev.squint.engine.internal.tokens;

import dev.squint.pruning.observe.Axis;
import dev.squint.pruning.observe.Observation;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Puts together what was computed of each tile apart: the first axis of visual tokens counts those
 * of all tiles, a second one those of the same tile, filled up with zeros to the longest.
 *
 * @param axes the axes of one tile's values
 * @param sizes how long they are; what stands for axes of visual tokens does not matter
 * @param parts the tiles that have tokens, in order
 */
public record TileParts(List<Axis> axes, int[] sizes, List<Part> parts) {

  /**
   * One tile.
   *
   * @param values holds its values
   * @param offset where they begin
   * @param computed for how many tokens they were computed
   * @param tokens which of these are looked at
   */
  public record Part(float[] values, int offset, int computed, int[] tokens) {

    /** Whether all of them are looked at, in order. */
    public boolean isWhole() {
      for (int i = 0; i < tokens.length; i++) {
        if (tokens[i] != i) {
          return false;
        }
      }
      return tokens.length == computed;
    }
  }

  public Observation joined() {
    int[] visual = IntStream.range(0, axes.size()).filter(i -> axes.get(i).isVisual()).toArray();
    int first = visual[0];
    boolean paired = visual.length > 1;
    int second = paired ? visual[1] : axes.size();
    int outer = size(0, first);
    int middle = size(first + 1, second);
    int inner = size(second + 1, axes.size());
    int all = parts.stream().mapToInt(part -> part.tokens().length).sum();
    int longest = parts.stream().mapToInt(part -> part.tokens().length).max().orElse(0);
    int row = middle * (paired ? longest * inner : 1);
    int columns =
        second == axes.size() - 1
            ? longest
            : first == axes.size() - 1 ? all : sizes[axes.size() - 1];
    if (parts.size() == 1 && parts.get(0).isWhole()) {
      float[] values = parts.get(0).values();
      if (values.length == outer * all * row) {
        return observation(columns, values);
      }
    }
    float[] joined = new float[outer * all * row];
    int to = 0;
    for (int o = 0; o < outer; o++) {
      for (Part part : parts) {
        for (int token : part.tokens()) {
          int from = (o * part.computed() + token) * middle;
          if (paired) {
            for (int m = 0; m < middle; m++, to += longest * inner) {
              copy(part, (from + m) * part.computed(), inner, joined, to);
            }
          } else {
            System.arraycopy(part.values(), part.offset() + from, joined, to, middle);
            to += middle;
          }
        }
      }
    }
    return observation(columns, joined);
  }

  private static void copy(Part part, int from, int inner, float[] joined, int to) {
    int next = to;
    for (int token : part.tokens()) {
      System.arraycopy(part.values(), part.offset() + (from + token) * inner, joined, next, inner);
      next += inner;
    }
  }

  private int size(int from, int to) {
    int size = 1;
    for (int i = from; i < to; i++) {
      size *= sizes[i];
    }
    return size;
  }

  private static Observation observation(int columns, float[] values) {
    return Observation.over(columns == 0 ? 0 : values.length / columns, columns, values);
  }
}
