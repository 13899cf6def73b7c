package dev.squint.engine.internal.tokens;

import ai.onnxruntime.OnnxTensor;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.layout.VisualSpan;
import java.util.Arrays;

/**
 * Rotary positions of some tokens: one per token, or three (time, height, width) in decoders with
 * mRoPE.
 *
 * @param axes {@code [1 or 3][tokens]}
 */
public record RotaryPositions(long[][] axes) {

  private static final int ONE_AXIS = 1;

  /**
   * Positions of a whole prompt. With one axis they count the tokens. With three a text token takes
   * the next number on all of them and an image of h x w tokens one moment in time and its rows and
   * columns, so that text goes on max(h, w) later (Wang et al., "Qwen2-VL", 2024). Visual tokens
   * that form no grid count like text.
   */
  public static RotaryPositions of(TokenLayout layout, int axes) {
    RotaryPositions all = ascending(layout.length(), axes);
    if (axes == ONE_AXIS) {
      return all;
    }
    long shift = 0;
    int token = 0;
    for (VisualSpan span : layout.visual()) {
      if (span.columns() == 0) {
        continue;
      }
      for (; token < span.start(); token++) {
        all.move(token, -shift);
      }
      long first = span.start() - shift;
      for (int i = 0; i < span.length(); i++, token++) {
        all.axes[0][token] = first;
        all.axes[1][token] = first + i / span.columns();
        all.axes[2][token] = first + i % span.columns();
      }
      shift += span.length() - Math.max(span.rows(), span.columns());
    }
    for (; token < layout.length(); token++) {
      all.move(token, -shift);
    }
    return all;
  }

  private void move(int token, long by) {
    for (long[] axis : axes) {
      axis[token] += by;
    }
  }

  private static RotaryPositions ascending(int count, int axes) {
    long[][] all = new long[axes][count];
    for (long[] axis : all) {
      for (int token = 0; token < count; token++) {
        axis[token] = token;
      }
    }
    return new RotaryPositions(all);
  }

  /** Positions of text tokens in a row. */
  public static RotaryPositions consecutive(long first, int count, int axes) {
    RotaryPositions all = ascending(count, axes);
    for (int token = 0; token < count; token++) {
      all.move(token, first);
    }
    return all;
  }

  /** Positions for all rows that arrive such that the kept ones get 0, 1, 2 and so on. */
  public RotaryPositions compactedFor(int[] keptRows) {
    long[][] all = new long[axes.length][axes[0].length];
    for (long[] axis : all) {
      for (int i = 0; i < keptRows.length; i++) {
        axis[keptRows[i]] = i;
      }
    }
    return new RotaryPositions(all);
  }

  /** These and after them one more for each merged row, that of its origin. */
  public RotaryPositions extended(int[] originRows) {
    int count = axes[0].length;
    long[][] all = new long[axes.length][];
    for (int axis = 0; axis < axes.length; axis++) {
      all[axis] = Arrays.copyOf(axes[axis], count + originRows.length);
      for (int i = 0; i < originRows.length; i++) {
        all[axis][count + i] = axes[axis][originRows[i]];
      }
    }
    return new RotaryPositions(all);
  }

  public RotaryPositions gathered(int[] rows) {
    long[][] some = new long[axes.length][rows.length];
    for (int axis = 0; axis < axes.length; axis++) {
      for (int i = 0; i < rows.length; i++) {
        some[axis][i] = axes[axis][rows[i]];
      }
    }
    return new RotaryPositions(some);
  }

  /** Positions of some rows on the first axis. */
  int[] first(int[] rows) {
    int[] there = new int[rows.length];
    for (int i = 0; i < rows.length; i++) {
      there[i] = Math.toIntExact(axes[0][rows[i]]);
    }
    return there;
  }

  /** The position of the token after these. */
  public long next() {
    long next = 0;
    for (long[] axis : axes) {
      for (long position : axis) {
        next = Math.max(next, position + 1);
      }
    }
    return next;
  }

  /** Int64 {@code [1, tokens]} or {@code [3, 1, tokens]}. */
  public OnnxTensor tensor(TensorScope scope) {
    int tokens = axes[0].length;
    if (axes.length == ONE_AXIS) {
      return scope.longs(axes[0], 1, tokens);
    }
    long[] flat = new long[axes.length * tokens];
    for (int axis = 0; axis < axes.length; axis++) {
      System.arraycopy(axes[axis], 0, flat, axis * tokens, tokens);
    }
    return scope.longs(flat, axes.length, 1, tokens);
  }
}
