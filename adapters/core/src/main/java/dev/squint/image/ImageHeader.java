package dev.squint.image;

import java.nio.charset.StandardCharsets;

/**
 * What a file says before its pixels are kept. Reading it refuses what is no image, images of
 * absurd size, and what a decoder could read in another way than it was read here.
 *
 * @param width pixels a row as stored
 * @param height rows as stored
 * @param orientation how the camera was held; no decoder turns what it decodes
 * @param decoder decodes the pixels
 */
record ImageHeader(int width, int height, Orientation orientation, PixelDecoder decoder) {

  static final int SMALLEST_SIDE = 8;
  static final int LONGEST_RATIO = 20;
  static final long MOST_PIXELS = 100_000_000L;
  static final String PIXELS_DAMAGED = " is damaged or cut off: its pixels cannot be decoded";
  static final String HEADER_DAMAGED = " is damaged or cut off: its header cannot be read";

  private static final String FORMATS = "PNG, JPEG, BMP, WebP, TIFF, GIF or PNM";

  /**
   * Reads it.
   *
   * @param data the file, which is the header's from now on: parts of it are moved and fixed
   */
  static ImageHeader read(String name, byte[] data) {
    checkSignature(name, data);
    if (isPng(data)) {
      Png png = Png.read(name, data);
      return new ImageHeader(
          png.header().width(), png.header().height(), png.orientation(), png.decoder());
    }
    EncodedImage all = EncodedImage.of(data);
    if (isJpeg(data)) {
      Jpeg jpeg = Jpeg.read(name, data);
      PixelDecoder decoder =
          DesktopJpeg.isSilent(name, data, jpeg)
              ? new NativeJpeg(all, jpeg)
              : called -> DesktopJpeg.decode(called, data);
      return new ImageHeader(jpeg.width(), jpeg.height(), jpeg.notes().orientation(data), decoder);
    }
    if (isWebP(data)) {
      WebP webp = WebP.read(name, data);
      return new ImageHeader(
          webp.width(),
          webp.height(),
          webp.notes().orientation(data),
          new NativeDecoder(webp.encoded(), webp.transparent(), -1));
    }
    if (starts(data, 'B', 'M')) {
      Bmp bmp = Bmp.read(name, data);
      PixelDecoder decoder =
          bmp.fields().isPresent() ? bmp.fields().get() : NativeDecoder.opaque(all);
      return new ImageHeader(bmp.width(), bmp.height(), Orientation.UPRIGHT, decoder);
    }
    if (isGif(data)) {
      Gif gif = Gif.read(name, data);
      return new ImageHeader(gif.width(), gif.height(), Orientation.UPRIGHT, gif);
    }
    if (Pnm.starts(data)) {
      Pnm pnm = Pnm.read(name, data);
      return new ImageHeader(pnm.width(), pnm.height(), Orientation.UPRIGHT, pnm);
    }
    Tiff tiff = Tiff.read(name, data);
    PixelDecoder decoder =
        tiff.alpha() == Tiff.Alpha.NONE ? NativeDecoder.opaque(all) : new DesktopTiff(data, tiff);
    return new ImageHeader(tiff.width(), tiff.height(), tiff.orientation(), decoder);
  }

  static ImageException headerDamaged(String name) {
    return new ImageException(name + HEADER_DAMAGED);
  }

  static ImageException pixelsDamaged(String name) {
    return new ImageException(name + PIXELS_DAMAGED);
  }

  static ImageException withoutEnd(String name) {
    return new ImageException(name + " is damaged or cut off: its end is missing");
  }

  static ImageException tooLarge(String name, OutOfMemoryError cause) {
    return new ImageException(
        name + " does not fit into memory; scale it down, or give Java more (-Xmx)", cause);
  }

  /** Whether a matrix has the size that was read here, upright or turned. */
  boolean isSizeOf(int columns, int rows) {
    return columns == width && rows == height || columns == height && rows == width;
  }

  /** Refuses what does not start like an image; the first 16 bytes are enough to tell. */
  static void checkSignature(String name, byte[] start) {
    if (start.length == 0) {
      throw new ImageException(name + " is empty (0 bytes); give a " + FORMATS + " file");
    }
    if (hasAt(start, 4, "ftyp")) {
      throw new ImageException(name + " is a HEIC, AVIF or video file; convert it to PNG or JPEG");
    }
    if (!hasImageSignature(start)) {
      throw new ImageException(
          name
              + " is not an image: it does not start like a "
              + FORMATS
              + " file; convert it to one of these");
    }
  }

  static void checkSize(String name, int width, int height) {
    int shorter = Math.min(width, height);
    int longer = Math.max(width, height);
    String size = name + " is " + width + "x" + height + " pixels";
    if (shorter < SMALLEST_SIDE) {
      throw new ImageException(
          size + "; give an image of at least " + SMALLEST_SIDE + " pixels a side");
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

  private static boolean hasImageSignature(byte[] data) {
    return isPng(data)
        || isJpeg(data)
        || isWebP(data)
        || starts(data, 'B', 'M')
        || isGif(data)
        || Pnm.starts(data)
        || starts(data, 'I', 'I', 42, 0)
        || starts(data, 'M', 'M', 0, 42);
  }

  private static boolean isPng(byte[] data) {
    return starts(data, 0x89, 'P', 'N', 'G');
  }

  private static boolean isJpeg(byte[] data) {
    return starts(data, 0xFF, 0xD8, 0xFF);
  }

  private static boolean isGif(byte[] data) {
    return starts(data, 'G', 'I', 'F', '8');
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
