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
 * @param notes where it is noted how the camera was held
 */
record WebP(int width, int height, boolean transparent, CameraNotes notes) {

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
            CameraNotes.NONE);
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
    CameraNotes camera = CameraNotes.NONE;
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
      } else if (kind.equals("EXIF")
          && !camera.hasExif()
          && at + 8 + PREFIX.length <= data.length) {
        boolean prefixed = bytes.slice(at + 8, PREFIX.length).equals(ByteBuffer.wrap(PREFIX));
        camera = camera.withExif(prefixed ? at + 8 + PREFIX.length : at + 8);
      }
      long length = Integer.toUnsignedLong(bytes.getInt(at + 4));
      if (kind.equals("XMP ") && !camera.hasXmp() && at + 8 + length <= data.length) {
        camera = camera.withXmp(at + 8, at + 8 + (int) length);
      }
      next += 8 + length + length % 2;
    }
    if (frames == 0) {
      throw ImageHeader.headerDamaged(name);
    }
    return new WebP(width, height, transparent, camera);
  }

  /** The frame in a chunk; of no size if it has none. */
  private static WebP frame(ByteBuffer bytes, int at) {
    boolean cut = at + 18 > bytes.capacity();
    return switch (cut ? "" : kind(bytes.array(), at)) {
      case "VP8L" -> {
        int sides = bytes.getInt(at + 9);
        yield new WebP(
            1 + (sides & 0x3FFF), 1 + (sides >>> 14 & 0x3FFF), (sides >>> 28 & 1) != 0, CameraNotes.NONE);
      }
      case "VP8 " ->
          new WebP(bytes.getShort(at + 14) & 0x3FFF, bytes.getShort(at + 16) & 0x3FFF, false, CameraNotes.NONE);
      default -> new WebP(0, 0, false, CameraNotes.NONE);
    };
  }

  private static String kind(byte[] data, int at) {
    return new String(data, at, 4, StandardCharsets.ISO_8859_1);
  }
}
