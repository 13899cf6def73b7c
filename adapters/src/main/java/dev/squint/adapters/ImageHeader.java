package dev.squint.adapters;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Iterator;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;

/** Refuses what is no picture, and pictures of absurd size, before any pixel is decoded. */
final class ImageHeader {

  static final int SMALLEST_SIDE = 8;
  static final int LONGEST_RATIO = 20;
  static final long MOST_PIXELS = 100_000_000L;

  static final String PIXELS_DAMAGED = " is damaged or cut off: its pixels cannot be decoded";
  private static final String HEADER_DAMAGED = " is damaged or cut off: its header cannot be read";

  private ImageHeader() {}

  static void check(String name, byte[] encoded) {
    if (encoded.length == 0) {
      throw new ImageException(
          name + " is empty (0 bytes); give a PNG, JPEG, BMP, WebP or TIFF file");
    }
    if (!hasPictureSignature(encoded)) {
      throw new ImageException(
          name
              + " is not a picture: it does not start like a PNG, JPEG, BMP, WebP or TIFF file;"
              + " convert it to one of these");
    }
    if (starts(encoded, 0x89, 'P', 'N', 'G') && !endsAsPng(encoded)
        || starts(encoded, 0xFF, 0xD8) && !endsAsJpeg(encoded)) {
      throw new ImageException(name + " is damaged or cut off: its end is missing");
    }
    if (isWebP(encoded)) {
      checkWebP(name, encoded);
      return;
    }
    try (ImageInputStream in = ImageIO.createImageInputStream(new ByteArrayInputStream(encoded))) {
      Iterator<ImageReader> readers = ImageIO.getImageReaders(in);
      if (readers.hasNext()) {
        ImageReader reader = readers.next();
        try {
          reader.setInput(in, true, true);
          checkSize(name, reader.getWidth(0), reader.getHeight(0));
        } finally {
          reader.dispose();
        }
      }
    } catch (IOException | IndexOutOfBoundsException e) {
      throw new ImageException(name + HEADER_DAMAGED, e);
    }
  }

  /** The desktop library cannot read WebP, but all three kinds say their size at the start. */
  private static void checkWebP(String name, byte[] data) {
    if (data.length < 30) {
      throw new ImageException(name + HEADER_DAMAGED);
    }
    ByteBuffer bytes = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
    String kind = new String(data, 12, 4, StandardCharsets.US_ASCII);
    switch (kind) {
      case "VP8X" ->
          checkSize(
              name, 1 + (bytes.getInt(24) & 0xFFFFFF), 1 + (bytes.getInt(26) >>> 8 & 0xFFFFFF));
      case "VP8L" -> {
        int sides = bytes.getInt(21);
        checkSize(name, 1 + (sides & 0x3FFF), 1 + (sides >>> 14 & 0x3FFF));
      }
      case "VP8 " -> checkSize(name, bytes.getShort(26) & 0x3FFF, bytes.getShort(28) & 0x3FFF);
      default -> throw new ImageException(name + HEADER_DAMAGED);
    }
  }

  /**
   * Whether the end marker is there, padding or not. The decoder would fill what is missing with
   * grey and say nothing.
   */
  private static boolean endsAsJpeg(byte[] data) {
    for (int i = data.length - 2; i >= startOfScan(data); i--) {
      if ((data[i] & 0xFF) == 0xFF && (data[i + 1] & 0xFF) == 0xD9) {
        return true;
      }
    }
    return false;
  }

  /** Whether the last chunk is IEND: OpenCV's decoder would print to standard error otherwise. */
  private static boolean endsAsPng(byte[] data) {
    int tail = Math.max(0, data.length - 64);
    return new String(data, tail, data.length - tail, StandardCharsets.ISO_8859_1).contains("IEND");
  }

  /** Where compressed pixels begin: past the metadata, whose thumbnail has an end marker too. */
  private static int startOfScan(byte[] data) {
    int at = 2;
    while (at + 4 <= data.length && (data[at + 1] & 0xFF) != 0xDA) {
      boolean filler = (data[at + 1] & 0xFF) == 0xFF;
      at += filler ? 1 : 2 + ((data[at + 2] & 0xFF) << 8 | data[at + 3] & 0xFF);
    }
    return at;
  }

  static void checkSize(String name, int width, int height) {
    int shorter = Math.min(width, height);
    int longer = Math.max(width, height);
    String size = name + " is " + width + "x" + height + " pixels";
    if (shorter < SMALLEST_SIDE) {
      throw new ImageException(
          size + "; give a picture of at least " + SMALLEST_SIDE + " pixels a side");
    }
    if (longer > (long) LONGEST_RATIO * shorter) {
      throw new ImageException(
          size + ", longer than " + LONGEST_RATIO + ":1; crop it to the part that matters");
    }
    if ((long) width * height > MOST_PIXELS) {
      throw new ImageException(
          size + ", more than " + MOST_PIXELS / 1_000_000 + " megapixels; scale it down first");
    }
  }

  private static boolean hasPictureSignature(byte[] data) {
    return starts(data, 0x89, 'P', 'N', 'G')
        || starts(data, 0xFF, 0xD8, 0xFF)
        || starts(data, 'B', 'M')
        || starts(data, 'I', 'I', 42, 0)
        || starts(data, 'M', 'M', 0, 42)
        || isWebP(data);
  }

  private static boolean isWebP(byte[] data) {
    return starts(data, 'R', 'I', 'F', 'F')
        && data.length > 12
        && Arrays.equals(
            Arrays.copyOfRange(data, 8, 12), "WEBP".getBytes(StandardCharsets.US_ASCII));
  }

  private static boolean starts(byte[] data, int... signature) {
    for (int i = 0; i < signature.length; i++) {
      if (i >= data.length || (data[i] & 0xFF) != signature[i]) {
        return false;
      }
    }
    return true;
  }
}
