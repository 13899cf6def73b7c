package dev.squint.image;

import org.opencv.core.CvType;
import org.opencv.core.Mat;

/**
 * The bytes that a native decoder gets, in three pieces so that a large file is copied only once,
 * into native memory.
 *
 * @param head what comes first
 * @param body a file
 * @param from where the part of the file that is needed begins
 * @param length bytes of it
 * @param tail what comes last
 */
record EncodedImage(byte[] head, byte[] body, int from, int length, byte[] tail) {

  private static final byte[] NOTHING = {};

  /** All of a file. */
  static EncodedImage of(byte[] file) {
    return new EncodedImage(NOTHING, file, 0, file.length, NOTHING);
  }

  /** A new row of bytes, to be released by the caller. */
  Mat toMat() {
    Mat bytes = new Mat(1, Math.addExact(head.length + tail.length, length), CvType.CV_8UC1);
    put(bytes, 0, head, 0, head.length);
    put(bytes, head.length, body, from, length);
    put(bytes, head.length + length, tail, 0, tail.length);
    return bytes;
  }

  private static void put(Mat target, int at, byte[] source, int from, int length) {
    if (length > 0) {
      target.put(new int[] {0, at}, source, from, length);
    }
  }
}
