package dev.squint.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
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

  /** A way; upright if there is none of that number. */
  static Orientation of(long way) {
    return way >= 1 && way <= 8 ? new Orientation((int) way) : UPRIGHT;
  }

  /**
   * The way that a block of EXIF tags tells, in whichever type.
   *
   * @param data a file
   * @param at where the block begins in it, 0 if there is none
   * @return empty if it does not tell
   */
  static Optional<Orientation> read(byte[] data, int at) {
    if (at <= 0 || at >= data.length) {
      return Optional.empty();
    }
    ByteBuffer notes = ByteBuffer.wrap(data, at, data.length - at).slice();
    try {
      notes.order(notes.get(0) == 'I' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
      int first = notes.getInt(4);
      int count = notes.getShort(first) & 0xFFFF;
      for (int i = 0; i < count; i++) {
        int entry = first + 2 + i * ENTRY;
        if (notes.getShort(entry) == TAG) {
          return Optional.of(at(notes, entry));
        }
      }
    } catch (IndexOutOfBoundsException e) {
      return Optional.empty();
    }
    return Optional.empty();
  }

  /**
   * The way that an entry of a directory of tags tells; upright if it tells none.
   *
   * @param notes the block, in its byte order
   * @param entry where the entry begins in it
   */
  static Orientation at(ByteBuffer notes, int entry) {
    return of(value(notes, entry));
  }

  /** The first value of an entry if it is a whole number, else 0. */
  private static long value(ByteBuffer notes, int entry) {
    int type = notes.getShort(entry + 2);
    int at = entry + 8;
    return switch (type) {
      case 1, 6 -> notes.get(at);
      case 3, 8 -> notes.getShort(at);
      case 4, 9 -> notes.getInt(at);
      case 5, 10 -> {
        int part = notes.getInt(at);
        int whole = notes.getInt(part + 4);
        yield whole != 0 && notes.getInt(part) % whole == 0 ? notes.getInt(part) / whole : 0;
      }
      case 11 -> whole(notes.getFloat(at));
      case 12 -> whole(notes.getDouble(notes.getInt(at)));
      default -> 0;
    };
  }

  private static long whole(double number) {
    return number == Math.rint(number) ? (long) number : 0;
  }

  /** Whether rows become columns. */
  boolean isTurned() {
    return way >= 5;
  }

  /** Whether left and right are exchanged, after that. */
  boolean isMirrored() {
    return way == 2 || way == 3 || way == 6 || way == 7;
  }

  /** Whether top and bottom are exchanged, after that. */
  boolean isUpsideDown() {
    return way == 3 || way == 4 || way == 7 || way == 8;
  }

  /** Turns a matrix upright in place. */
  void apply(Mat image) {
    if (isTurned()) {
      Core.transpose(image, image);
    }
    if (isMirrored() || isUpsideDown()) {
      Core.flip(image, image, isMirrored() && isUpsideDown() ? -1 : isMirrored() ? 1 : 0);
    }
  }
}
