package dev.squint.image;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Some rows of an image that are resized together. Their samples are turned into columns first, an
 * array each: sums of such arrays are what Java's compiler makes vector instructions of, while the
 * samples of one row lie too irregularly for that. Only the columns that one sample of the result
 * is made of are held; those of the next take the place of those no longer needed.
 */
final class RowBlock {

  /** So many that starting a loop over a column costs little. */
  private static final int MOST_ROWS = 512;

  private static final int FEWEST_ROWS = 16;

  /** So few that the columns stay in the cache of a core. */
  private static final int MOST_SAMPLES = 1 << 18;

  private static final VarHandle FOUR_SAMPLES =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

  private final RgbImage image;
  private final int top;
  private final int[] sums;
  private final int[] four;
  private final int[][] columns;
  private int turned;

  private RowBlock(RgbImage image, int top, int rows, int columns) {
    this.image = image;
    this.top = top;
    this.sums = new int[rows];
    this.four = new int[rows];
    this.columns = new int[columns][rows];
  }

  /**
   * Resizes all rows of an image, shared out among the cores.
   *
   * @param taps what the samples of a row of the result are made of
   * @return the result, rows as columns
   */
  static RgbImage resize(RgbImage image, Resampler.Taps[] taps) {
    int most = Arrays.stream(taps).mapToInt(tap -> tap.weights().length).max().orElse(0);
    int columns = Integer.highestOneBit(3 * most + 8) * 2;
    int step = Math.max(FEWEST_ROWS, Math.min(MOST_ROWS, MOST_SAMPLES / columns));
    int height = image.height();
    byte[] out = new byte[3 * height * taps.length];
    IntStream.range(0, (height + step - 1) / step)
        .map(block -> block * step)
        .parallel()
        .forEach(
            top ->
                new RowBlock(image, top, Math.min(step, height - top), columns).resize(taps, out));
    return new RgbImage(height, taps.length, out);
  }

  private void resize(Resampler.Taps[] taps, byte[] out) {
    turned = 3 * taps[0].first() / 4 * 4;
    for (int x = 0; x < taps.length; x++) {
      turn(3 * taps[x].end());
      for (int channel = 0; channel < 3; channel++) {
        Arrays.fill(sums, taps[x].start(channel));
        sum(taps[x].weights(), 3 * taps[x].first() + channel);
        put(out, 3 * (x * image.height() + top) + channel);
      }
    }
  }

  /** The column of a sample of the rows. */
  private int[] column(int sample) {
    return columns[sample & (columns.length - 1)];
  }

  /** Turns the samples of each row up to an end. */
  private void turn(int end) {
    int length = 3 * image.width();
    int at = top * length;
    while (turned < end) {
      if (turned + 4 <= length) {
        readFour(at + turned);
        split(four, column(turned), column(turned + 1), column(turned + 2), column(turned + 3));
        turned += 4;
      } else {
        read(at + turned, column(turned));
        turned++;
      }
    }
  }

  private void readFour(int at) {
    byte[] samples = image.rgb();
    int step = 3 * image.width();
    for (int row = 0; row < four.length; row++) {
      four[row] = (int) FOUR_SAMPLES.get(samples, at + row * step);
    }
  }

  private static void split(int[] four, int[] a, int[] b, int[] c, int[] d) {
    for (int row = 0; row < four.length; row++) {
      int value = four[row];
      a[row] = value & 0xFF;
      b[row] = value >>> 8 & 0xFF;
      c[row] = value >>> 16 & 0xFF;
      d[row] = value >>> 24;
    }
  }

  private void read(int at, int[] column) {
    byte[] samples = image.rgb();
    int step = 3 * image.width();
    for (int row = 0; row < column.length; row++) {
      column[row] = samples[at + row * step] & 0xFF;
    }
  }

  /** Adds the weighted columns of one channel. */
  private void sum(int[] weights, int sample) {
    int at = sample;
    int i = 0;
    for (; i <= weights.length - 4; i += 4) {
      addFour(sums, column(at), column(at + 3), column(at + 6), column(at + 9), weights, i);
      at += 12;
    }
    for (; i < weights.length; i++) {
      add(sums, column(at), weights[i]);
      at += 3;
    }
  }

  private static void addFour(
      int[] sums, int[] a, int[] b, int[] c, int[] d, int[] weights, int at) {
    int first = weights[at];
    int second = weights[at + 1];
    int third = weights[at + 2];
    int fourth = weights[at + 3];
    for (int row = 0; row < sums.length; row++) {
      sums[row] += first * a[row] + second * b[row] + third * c[row] + fourth * d[row];
    }
  }

  private static void add(int[] sums, int[] column, int weight) {
    for (int row = 0; row < sums.length; row++) {
      sums[row] += weight * column[row];
    }
  }

  private void put(byte[] out, int at) {
    for (int row = 0; row < sums.length; row++) {
      int sample = sums[row] >> Resampler.FRACTION_BITS;
      out[at + 3 * row] = (byte) Math.max(0, Math.min(255, sample));
    }
  }
}
