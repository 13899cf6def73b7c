package dev.squint.adapters;

import java.io.ByteArrayInputStream;
import java.io.IOException;
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
    if (starts(encoded, 0x89, 'P', 'N', 'G') && !endsAsPng(encoded)) {
      throw new ImageException(name + " is damaged or cut off: its end is missing");
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
      throw new ImageException(name + " is damaged or cut off: its header cannot be read", e);
    }
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
        || starts(data, 'R', 'I', 'F', 'F')
            && data.length > 12
            && Arrays.equals(
                Arrays.copyOfRange(data, 8, 12), "WEBP".getBytes(StandardCharsets.US_ASCII));
  }

  /** Whether the last chunk is IEND: OpenCV's decoder would print to standard error otherwise. */
  private static boolean endsAsPng(byte[] data) {
    int tail = Math.max(0, data.length - 64);
    return new String(data, tail, data.length - tail, StandardCharsets.ISO_8859_1).contains("IEND");
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
