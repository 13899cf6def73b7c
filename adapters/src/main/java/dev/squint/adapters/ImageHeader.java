package dev.squint.adapters;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;

/**
 * What a file says before any pixel is decoded. Reading it refuses what is no picture, and pictures
 * of absurd size.
 *
 * @param mayBeTransparent whether pixels can be transparent; false only if they cannot
 * @param webP whether it is a WebP file, which OpenCV does not turn upright
 * @param orientation how the camera was held, for the formats whose notes OpenCV may leave out
 */
record ImageHeader(boolean mayBeTransparent, boolean webP, Orientation orientation) {

  static final int SMALLEST_SIDE = 8;
  static final int LONGEST_RATIO = 20;
  static final long MOST_PIXELS = 100_000_000L;

  private static final String FORMATS = "PNG, JPEG, BMP, WebP or TIFF";
  static final String PIXELS_DAMAGED = " is damaged or cut off: its pixels cannot be decoded";
  private static final String HEADER_DAMAGED = " is damaged or cut off: its header cannot be read";

  static ImageHeader read(String name, byte[] encoded) {
    checkSignature(name, encoded);
    if (isPng(encoded)) {
      PngChunks png = PngChunks.read(encoded);
      checkPng(name, png);
      return new ImageHeader(png.transparent(), false, Orientation.read(encoded, png.camera()));
    }
    if (isWebP(encoded)) {
      WebPChunks webp = WebPChunks.read(encoded);
      checkWebP(name, webp);
      return new ImageHeader(webp.transparent(), true, Orientation.read(encoded, webp.camera()));
    }
    boolean jpeg = isJpeg(encoded);
    checkEnd(name, !jpeg || endsAsJpeg(encoded));
    checkWithDesktopLibrary(name, encoded);
    return new ImageHeader(!jpeg, false, Orientation.UPRIGHT);
  }

  /** Refuses what does not start like a picture; the first 16 bytes are enough to tell. */
  static void checkSignature(String name, byte[] start) {
    if (start.length == 0) {
      throw new ImageException(name + " is empty (0 bytes); give a " + FORMATS + " file");
    }
    if (starts(start, 'G', 'I', 'F', '8')) {
      throw new ImageException(name + " is a GIF file; convert it to PNG or JPEG");
    }
    if (hasAt(start, 4, "ftyp")) {
      throw new ImageException(name + " is a HEIC, AVIF or video file; convert it to PNG or JPEG");
    }
    if (!hasPictureSignature(start)) {
      throw new ImageException(
          name
              + " is not a picture: it does not start like a "
              + FORMATS
              + " file; convert it to one of these");
    }
  }

  private static void checkPng(String name, PngChunks png) {
    if (png.width() > 0 && png.height() > 0) {
      checkSize(name, png.width(), png.height());
    }
    checkEnd(name, png.whole());
    if (!png.sound()) {
      throw new ImageException(name + PIXELS_DAMAGED);
    }
  }

  private static void checkWebP(String name, WebPChunks webp) {
    if (webp.width() == 0 || webp.height() == 0) {
      throw new ImageException(name + HEADER_DAMAGED);
    }
    checkSize(name, webp.width(), webp.height());
    checkEnd(name, webp.whole());
    if (webp.animated()) {
      throw new ImageException(name + " is an animation; give one of its frames");
    }
  }

  private static void checkEnd(String name, boolean whole) {
    if (!whole) {
      throw new ImageException(name + " is damaged or cut off: its end is missing");
    }
  }

  /** Its readers throw whatever they like on a damaged header. */
  private static void checkWithDesktopLibrary(String name, byte[] encoded) {
    try (ImageInputStream in = new MemoryCacheImageInputStream(new ByteArrayInputStream(encoded))) {
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
    } catch (ImageException e) {
      throw e;
    } catch (IOException | RuntimeException e) {
      throw new ImageException(name + HEADER_DAMAGED, e);
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
    return isPng(data)
        || isJpeg(data)
        || isWebP(data)
        || starts(data, 'B', 'M')
        || starts(data, 'I', 'I', 42, 0)
        || starts(data, 'M', 'M', 0, 42);
  }

  private static boolean isPng(byte[] data) {
    return starts(data, 0x89, 'P', 'N', 'G');
  }

  private static boolean isJpeg(byte[] data) {
    return starts(data, 0xFF, 0xD8, 0xFF);
  }

  private static boolean isWebP(byte[] data) {
    return starts(data, 'R', 'I', 'F', 'F') && hasAt(data, 8, "WEBP");
  }

  private static boolean hasAt(byte[] data, int at, String letters) {
    return data.length >= at + letters.length()
        && new String(data, at, letters.length(), StandardCharsets.ISO_8859_1).equals(letters);
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
