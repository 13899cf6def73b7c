package dev.squint.adapters;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * What the chunks of a WebP file say before any pixel is decoded. The desktop library cannot read
 * WebP, and OpenCV neither turns the picture as the camera noted nor says why it refuses one.
 *
 * @param width pixels a row, 0 if the header is damaged
 * @param height rows
 * @param whole whether as many bytes are there as the file says
 * @param transparent whether pixels can be transparent
 * @param animated whether it holds several frames
 * @param camera where the block of camera notes begins, 0 if there is none
 */
record WebPChunks(
    int width, int height, boolean whole, boolean transparent, boolean animated, int camera) {

  private static final int HEADER = 12;
  private static final int SHORTEST = 30;
  private static final byte[] PREFIX = {'E', 'x', 'i', 'f', 0, 0};

  static WebPChunks read(byte[] data) {
    if (data.length < SHORTEST) {
      return new WebPChunks(0, 0, false, false, false, 0);
    }
    ByteBuffer bytes = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
    boolean whole = Integer.toUnsignedLong(bytes.getInt(4)) + 8 <= data.length;
    int flags = data[20];
    int sides = bytes.getInt(21);
    return switch (kind(data, HEADER)) {
      case "VP8X" ->
          new WebPChunks(
              1 + (bytes.getInt(24) & 0xFFFFFF),
              1 + (bytes.getInt(26) >>> 8 & 0xFFFFFF),
              whole,
              (flags & 0x10) != 0,
              (flags & 0x02) != 0,
              camera(bytes));
      case "VP8L" ->
          new WebPChunks(
              1 + (sides & 0x3FFF),
              1 + (sides >>> 14 & 0x3FFF),
              whole,
              (sides >>> 28 & 1) != 0,
              false,
              0);
      case "VP8 " ->
          new WebPChunks(
              bytes.getShort(26) & 0x3FFF, bytes.getShort(28) & 0x3FFF, whole, false, false, 0);
      default -> new WebPChunks(0, 0, whole, false, false, 0);
    };
  }

  private static int camera(ByteBuffer bytes) {
    byte[] data = bytes.array();
    long at = HEADER;
    while (at <= data.length - 8L - PREFIX.length) {
      int start = (int) at + 8;
      if (kind(data, (int) at).equals("EXIF")) {
        boolean prefixed = bytes.slice(start, PREFIX.length).equals(ByteBuffer.wrap(PREFIX));
        return prefixed ? start + PREFIX.length : start;
      }
      long length = Integer.toUnsignedLong(bytes.getInt((int) at + 4));
      at += 8 + length + length % 2;
    }
    return 0;
  }

  private static String kind(byte[] data, int at) {
    return new String(data, at, 4, StandardCharsets.ISO_8859_1);
  }
}
