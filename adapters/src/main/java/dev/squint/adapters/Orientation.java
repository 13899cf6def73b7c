package dev.squint.adapters;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.opencv.core.Core;
import org.opencv.core.Mat;

/**
 * How the camera was held.
 *
 * @param way the value of EXIF tag 0x112: one of eight ways, 1 for upright
 */
record Orientation(int way) {

  static final Orientation UPRIGHT = new Orientation(1);
  private static final int TAG = 0x112;
  private static final int ENTRY = 12;

  /**
   * The way that a block of camera notes tells; upright if it tells none.
   *
   * @param data a file
   * @param at where the block begins in it, 0 if there is none
   */
  static Orientation read(byte[] data, int at) {
    if (at <= 0 || at >= data.length) {
      return UPRIGHT;
    }
    ByteBuffer notes = ByteBuffer.wrap(data, at, data.length - at).slice();
    try {
      notes.order(notes.get(0) == 'I' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
      int first = notes.getInt(4);
      int count = notes.getShort(first) & 0xFFFF;
      for (int i = 0; i < count; i++) {
        int entry = first + 2 + i * ENTRY;
        if (notes.getShort(entry) == TAG) {
          int way = notes.getShort(entry + 8);
          return way >= 1 && way <= 8 ? new Orientation(way) : UPRIGHT;
        }
      }
    } catch (IndexOutOfBoundsException e) {
      return UPRIGHT;
    }
    return UPRIGHT;
  }

  /** Turns a matrix upright in place. */
  void apply(Mat image) {
    if (way >= 5) {
      Core.transpose(image, image);
    }
    if (way == 2 || way == 6) {
      Core.flip(image, image, 1);
    } else if (way == 3 || way == 7) {
      Core.flip(image, image, -1);
    } else if (way == 4 || way == 8) {
      Core.flip(image, image, 0);
    }
  }
}
