package dev.squint.adapters;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * What the chunks of a WebP file say before any pixel is decoded. OpenCV neither turns the picture
 * as the camera noted nor says why it refuses one.
 *
 * @param width pixels a row
 * @param height rows
 * @param transparent whether pixels can be transparent
 * @param camera where the block of camera notes begins, 0 if there is none
 */
record WebP(int width, int height, boolean transparent, int camera) {

  private static final int HEADER = 12;
  private static final int SHORTEST = 30;
  private static final int ALPHA = 0x10;
  private static final int ANIMATION = 0x02;
  private static final byte[] PREFIX = {'E', 'x', 'i', 'f', 0, 0};

  /** Reads them in one pass. */
  static WebP read(String name, byte[] data) {
    if (data.length < SHORTEST) {
      throw ImageHeader.headerDamaged(name);
    }
    ByteBuffer bytes = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
    long end = Integer.toUnsignedLong(bytes.getInt(4)) + 8;
    if (!kind(data, HEADER).equals("VP8X")) {
      WebP frame = frame(bytes, HEADER);
      frame.check(name, end, data.length);
      return frame;
    }
    int flags = data[20];
    WebP canvas =
        new WebP(
            1 + (bytes.getInt(24) & 0xFFFFFF),
            1 + (bytes.getInt(26) >>> 8 & 0xFFFFFF),
            (flags & ALPHA) != 0,
            0);
    canvas.check(name, end, data.length);
    if ((flags & ANIMATION) != 0) {
      throw new ImageException(name + " is an animation; give one of its frames");
    }
    return canvas.around(name, bytes);
  }

  private void check(String name, long end, int length) {
    if (width == 0 || height == 0) {
      throw ImageHeader.headerDamaged(name);
    }
    ImageHeader.checkSize(name, width, height);
    if (end > length) {
      throw ImageHeader.withoutEnd(name);
    }
  }

  /** This canvas with the notes beside its one frame, which has to be as large. */
  private WebP around(String name, ByteBuffer bytes) {
    byte[] data = bytes.array();
    int frames = 0;
    int notes = 0;
    long next = HEADER;
    while (next <= data.length - 8L) {
      int at = (int) next;
      String kind = kind(data, at);
      if (kind.equals("VP8 ") || kind.equals("VP8L")) {
        WebP frame = frame(bytes, at);
        frames++;
        if (frames > 1 || frame.width != width || frame.height != height) {
          throw ImageHeader.headerDamaged(name);
        }
      } else if (kind.equals("EXIF") && notes == 0 && at + 8 + PREFIX.length <= data.length) {
        boolean prefixed = bytes.slice(at + 8, PREFIX.length).equals(ByteBuffer.wrap(PREFIX));
        notes = prefixed ? at + 8 + PREFIX.length : at + 8;
      }
      long length = Integer.toUnsignedLong(bytes.getInt(at + 4));
      next += 8 + length + length % 2;
    }
    if (frames == 0) {
      throw ImageHeader.headerDamaged(name);
    }
    return new WebP(width, height, transparent, notes);
  }

  /** The frame in a chunk; of no size if it has none. */
  private static WebP frame(ByteBuffer bytes, int at) {
    boolean cut = at + 18 > bytes.capacity();
    return switch (cut ? "" : kind(bytes.array(), at)) {
      case "VP8L" -> {
        int sides = bytes.getInt(at + 9);
        yield new WebP(
            1 + (sides & 0x3FFF), 1 + (sides >>> 14 & 0x3FFF), (sides >>> 28 & 1) != 0, 0);
      }
      case "VP8 " ->
          new WebP(bytes.getShort(at + 14) & 0x3FFF, bytes.getShort(at + 16) & 0x3FFF, false, 0);
      default -> new WebP(0, 0, false, 0);
    };
  }

  private static String kind(byte[] data, int at) {
    return new String(data, at, 4, StandardCharsets.ISO_8859_1);
  }
}
