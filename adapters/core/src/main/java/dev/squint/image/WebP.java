package dev.squint.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * What the chunks of a WebP file say before any pixel is decoded. OpenCV neither turns the image as
 * the camera noted nor says why it refuses one. Of an animation the first frame is taken.
 *
 * @param width pixels a row
 * @param height rows
 * @param transparent whether pixels can be transparent
 * @param notes where it is noted how the camera was held
 * @param encoded what the native decoder gets
 */
@SuppressWarnings("ByteBufferBackingArray") // the buffers wrap whole files
record WebP(int width, int height, boolean transparent, CameraNotes notes, EncodedImage encoded) {

  private static final int HEADER = 12;
  private static final int SHORTEST = 30;
  private static final int ALPHA = 0x10;
  private static final int ANIMATION = 0x02;
  private static final int FRAME_HEADER = 16;
  private static final int CANVAS_CHUNK = 18;
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
            CameraNotes.NONE,
            EncodedImage.of(data));
    canvas.check(name, end, data.length);
    return canvas.around(name, bytes, (flags & ANIMATION) != 0);
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

  /** This canvas with the notes next to its one frame, which has to be as large. */
  private WebP around(String name, ByteBuffer bytes, boolean moves) {
    byte[] data = bytes.array();
    int frames = 0;
    EncodedImage still = encoded;
    CameraNotes camera = CameraNotes.NONE;
    long next = HEADER;
    while (next <= data.length - 8L) {
      int at = (int) next;
      String kind = kind(data, at);
      if (moves && frames == 0 && kind.equals("ANMF")) {
        still = firstFrame(name, bytes, at);
        frames++;
      } else if (!moves && (kind.equals("VP8 ") || kind.equals("VP8L"))) {
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
      next += 8 + even(length);
    }
    if (frames == 0) {
      throw ImageHeader.headerDamaged(name);
    }
    return new WebP(width, height, transparent, camera, still);
  }

  /** A file of the first frame alone, which has to be as large as the canvas. */
  private EncodedImage firstFrame(String name, ByteBuffer bytes, int at) {
    byte[] data = bytes.array();
    long length = Integer.toUnsignedLong(bytes.getInt(at + 4));
    if (length < FRAME_HEADER + 8 || at + 8 + length > data.length) {
      throw ImageHeader.headerDamaged(name);
    }
    int from = at + 8 + FRAME_HEADER;
    int end = at + 8 + (int) length;
    boolean veiled = kind(data, from).equals("ALPH");
    long pixels = veiled ? from + 8L + even(Integer.toUnsignedLong(bytes.getInt(from + 4))) : from;
    if (pixels > end - 8) {
      throw ImageHeader.headerDamaged(name);
    }
    WebP frame = frame(bytes, (int) pixels);
    if (frame.width != width || frame.height != height) {
      throw new ImageException(
          name + " is an animation whose first frame is only a part; give one of its frames");
    }
    ByteBuffer head = ByteBuffer.allocate(HEADER + CANVAS_CHUNK).order(ByteOrder.LITTLE_ENDIAN);
    head.put(data, 0, HEADER).putInt(4, HEADER - 8 + CANVAS_CHUNK + end - from);
    head.put(data, HEADER, CANVAS_CHUNK).put(HEADER + 8, (byte) (data[HEADER + 8] & ALPHA));
    return new EncodedImage(head.array(), data, from, end - from, new byte[0]);
  }

  private static long even(long length) {
    return length + length % 2;
  }

  /** The frame in a chunk; of no size if it has none. */
  private static WebP frame(ByteBuffer bytes, int at) {
    EncodedImage all = EncodedImage.of(bytes.array());
    boolean cut = at + 18 > bytes.capacity();
    return switch (cut ? "" : kind(bytes.array(), at)) {
      case "VP8L" -> {
        int sides = bytes.getInt(at + 9);
        yield new WebP(
            1 + (sides & 0x3FFF),
            1 + (sides >>> 14 & 0x3FFF),
            (sides >>> 28 & 1) != 0,
            CameraNotes.NONE,
            all);
      }
      case "VP8 " ->
          new WebP(
              bytes.getShort(at + 14) & 0x3FFF,
              bytes.getShort(at + 16) & 0x3FFF,
              false,
              CameraNotes.NONE,
              all);
      default -> new WebP(0, 0, false, CameraNotes.NONE, all);
    };
  }

  private static String kind(byte[] data, int at) {
    return new String(data, at, 4, StandardCharsets.ISO_8859_1);
  }
}
