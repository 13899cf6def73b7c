package dev.squint.image;

import java.nio.charset.StandardCharsets;

/**
 * What the segments of a JPEG file say before any pixel is decoded.
 *
 * @param width pixels a row as stored
 * @param height rows as stored
 * @param components how many there are: 1 gray, 3 of colour, 4 of print
 * @param notes where it is noted how the camera was held
 * @param end where the end marker is
 */
record Jpeg(int width, int height, int components, CameraNotes notes, int end) {

  private static final int END = 0xD9;
  private static final int SCAN = 0xDA;
  private static final int MOST_SCANS = 100;
  private static final long MOST_SCANNED = 12 * ImageHeader.MOST_PIXELS;
  private static final int MOST_NOTES = 256;
  private static final byte[] CAMERA = "Exif\0\0".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] XMP =
      "http://ns.adobe.com/xap/1.0/\0".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] JFIF = "JFIF\0".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] ADOBE = "Adobe".getBytes(StandardCharsets.US_ASCII);

  /**
   * Reads them in one pass.
   *
   * @param data the file; harmless slips over which decoders print or stumble are fixed in it
   */
  static Jpeg read(String name, byte[] data) {
    Segments segments = new Segments(name, data);
    int at = 2;
    while (at < data.length - 1) {
      int marker = data[at + 1] & 0xFF;
      if ((data[at] & 0xFF) != 0xFF) {
        throw ImageHeader.pixelsDamaged(name);
      }
      if (marker == 0xFF) {
        at++;
      } else if (marker == END) {
        return segments.end(at);
      } else {
        at = segments.take(marker, at);
      }
    }
    throw ImageHeader.withoutEnd(name);
  }

  /** What the segments of one file hold so far. */
  private static final class Segments {

    private final String name;
    private final byte[] data;
    private int width;
    private int height;
    private int components;
    private boolean sequential;
    private CameraNotes camera = CameraNotes.NONE;
    private int notes;
    private int transform;
    private int scans;

    Segments(String name, byte[] data) {
      this.name = name;
      this.data = data;
    }

    /** Takes a segment and tells where the next one begins. */
    int take(int marker, int at) {
      if (marker == 0x01 || marker >= 0xD0 && marker <= 0xD7) {
        return at + 2;
      }
      int length = at + 4 <= data.length ? number(at + 2) : 0;
      if (length < 2 || at + 2 + length > data.length) {
        throw ImageHeader.withoutEnd(name);
      }
      int content = at + 4;
      int size = length - 2;
      switch (marker) {
        case 0xC4, 0xC8, 0xCC -> {}
        case 0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF ->
            frame(marker, content, size);
        case SCAN -> {
          scan(content, size);
          return pastScan(content + size);
        }
        case 0xE0 -> fixVersion(content, size);
        case 0xE1 -> notes(at, content, size);
        case 0xEE -> transform(content, size);
        default -> hide(at, marker);
      }
      return content + size;
    }

    private void frame(int marker, int at, int size) {
      if (width > 0 || size < 6 || size != 6 + 3 * (data[at + 5] & 0xFF)) {
        throw ImageHeader.headerDamaged(name);
      }
      if (marker > 0xC2 || data[at] != 8) {
        throw new ImageException(
            name
                + " is a JPEG of a rare kind (lossless, arithmetic or more than 8 bits a sample);"
                + " save it as an ordinary JPEG or as PNG");
      }
      height = number(at + 1);
      width = number(at + 3);
      components = data[at + 5] & 0xFF;
      sequential = marker < 0xC2;
      ImageHeader.checkSize(name, width, height);
      if (components != 1 && components != 3 && components != 4) {
        throw ImageHeader.headerDamaged(name);
      }
    }

    private void scan(int at, int size) {
      scans++;
      if (width == 0 || size < 4 || size != 4 + 2 * (data[at] & 0xFF)) {
        throw ImageHeader.headerDamaged(name);
      }
      if (scans > MOST_SCANS || (long) scans * width * height > MOST_SCANNED) {
        throw new ImageException(
            name + " is stored in more than " + (scans - 1) + " scans; save it again as a JPEG");
      }
      if (sequential) {
        // These say which part of the pixels follows; here it is always all of them.
        data[at + size - 3] = 0;
        data[at + size - 2] = 63;
        data[at + size - 1] = 0;
      }
    }

    private int pastScan(int from) {
      int at = from;
      while (at < data.length - 1) {
        int next = data[at + 1] & 0xFF;
        if ((data[at] & 0xFF) == 0xFF && next != 0 && next != 0xFF && (next & 0xF8) != 0xD0) {
          return at;
        }
        at++;
      }
      return at;
    }

    private void fixVersion(int at, int size) {
      if (size >= 7 && starts(at, JFIF)) {
        data[at + 5] = 1;
      }
    }

    /** The native decoder keeps them in a list that it goes through for each. */
    private void notes(int at, int content, int size) {
      notes++;
      if (notes > MOST_NOTES) {
        hide(at, 0xE1);
      } else if (!camera.hasExif() && size > CAMERA.length && starts(content, CAMERA)) {
        camera = camera.withExif(content + CAMERA.length);
      } else if (!camera.hasXmp() && size > XMP.length && starts(content, XMP)) {
        camera = camera.withXmp(content + XMP.length, content + size);
      }
    }

    /**
     * Makes a note of an application a comment: the desktop library gives up over damaged colour
     * profiles that nobody reads here, and goes through a list of all for each.
     */
    private void hide(int at, int marker) {
      if (marker >= 0xE0 && marker <= 0xEF) {
        data[at + 1] = (byte) 0xFE;
      }
    }

    private void transform(int at, int size) {
      if (size >= 12 && starts(at, ADOBE)) {
        transform = at + 11;
      }
    }

    /** Decoders take an unknown colour transform for the usual one, and print about it. */
    private void fixTransform() {
      int usual = components - 2;
      if (transform > 0 && components > 1 && data[transform] != 0 && data[transform] != usual) {
        data[transform] = (byte) usual;
      }
    }

    private boolean starts(int at, byte[] letters) {
      for (int i = 0; i < letters.length; i++) {
        if (data[at + i] != letters[i]) {
          return false;
        }
      }
      return true;
    }

    private int number(int at) {
      return (data[at] & 0xFF) << 8 | data[at + 1] & 0xFF;
    }

    Jpeg end(int at) {
      if (scans == 0) {
        throw ImageHeader.withoutEnd(name);
      }
      fixTransform();
      return new Jpeg(width, height, components, camera, at);
    }
  }
}
