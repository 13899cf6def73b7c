package dev.squint.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;

/**
 * What the first directory of a TIFF file says before any pixel is decoded. A tag that is there
 * twice is refused, since which of the two counts is up to each decoder; so are blocks that lie
 * outside the file or would take far more memory than the image.
 *
 * @param width pixels a row
 * @param height rows
 * @param colors how many samples of a pixel are colours; others come after them
 * @param alpha how transparent pixels are stored
 * @param alphaSample which sample of a pixel is alpha, if one is
 * @param orientation how the camera was held
 */
record Tiff(
    int width, int height, int colors, Alpha alpha, int alphaSample, Orientation orientation) {

  /** How transparent pixels are stored. */
  enum Alpha {
    /** There are no samples but colours. */
    NONE,
    /** There are, but none of them is alpha. */
    OTHER,
    /** Beside colours as they are. */
    STRAIGHT,
    /** Beside colours that were multiplied by it. */
    ASSOCIATED
  }

  private static final int WIDTH = 256;
  private static final int HEIGHT = 257;
  private static final int DEPTH = 258;
  private static final int PHOTOMETRIC = 262;
  private static final int STRIP_OFFSETS = 273;
  private static final int TURNED = 274;
  private static final int SAMPLES = 277;
  private static final int ROWS = 278;
  private static final int STRIP_LENGTHS = 279;
  private static final int PLANES = 284;
  private static final int TILE_WIDTH = 322;
  private static final int TILE_HEIGHT = 323;
  private static final int TILE_OFFSETS = 324;
  private static final int TILE_LENGTHS = 325;
  private static final int EXTRA = 338;
  private static final int FORMAT = 339;
  private static final int XMP = 700;

  private static final int SIGNED = 2;
  private static final int FLOATING = 3;
  private static final int GRAY = 1;
  private static final int RGB = 2;
  private static final int PALETTE = 3;
  private static final int CMYK = 5;
  private static final int YCBCR = 6;
  private static final int UNASSIGNED = 999;

  private static final int ENTRY = 12;
  private static final int MOST_SAMPLES = 8;
  private static final int DEEPEST = 64;
  private static final int APART = 2;
  private static final int MOST_REPEATS = 4;
  private static final long LARGE_BLOCK = 1 << 26;
  private static final long MOST_BYTES = 8 * ImageHeader.MOST_PIXELS;

  static Tiff read(String name, byte[] data) {
    try {
      return new Directory(name, data).read();
    } catch (IndexOutOfBoundsException e) {
      throw new ImageException(name + ImageHeader.HEADER_DAMAGED, e);
    }
  }

  /** The first directory of a file. */
  private static final class Directory {

    private final String name;
    private final ByteBuffer bytes;
    private final Map<Integer, Integer> entries = new HashMap<>();

    Directory(String name, byte[] data) {
      this.name = name;
      this.bytes = ByteBuffer.wrap(data);
      bytes.order(data[0] == 'I' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
      int first = bytes.getInt(4);
      int count = bytes.getShort(first) & 0xFFFF;
      for (int i = 0; i < count; i++) {
        int entry = first + 2 + i * ENTRY;
        bytes.getInt(entry + 8);
        if (entries.put(bytes.getShort(entry) & 0xFFFF, entry) != null) {
          throw ImageHeader.headerDamaged(name);
        }
      }
    }

    Tiff read() {
      long width = number(WIDTH, 0);
      long height = number(HEIGHT, 0);
      if (width > Integer.MAX_VALUE || height > Integer.MAX_VALUE) {
        throw ImageHeader.headerDamaged(name);
      }
      ImageHeader.checkSize(name, (int) width, (int) height);
      long samples = number(SAMPLES, 1);
      long depth = depth();
      long bytesAPixel = (samples * depth + 7) / 8;
      if (samples < 1 || samples > MOST_SAMPLES || depth < 1 || depth > DEEPEST) {
        throw ImageHeader.headerDamaged(name);
      }
      if (bytesAPixel * width * height > MOST_BYTES) {
        throw new ImageException(
            "%s is %dx%d pixels of %d bytes, more than %d MB; scale it down first"
                .formatted(name, width, height, bytesAPixel, MOST_BYTES / 1_000_000));
      }
      long planes = number(PLANES, 1) == APART ? samples : 1;
      if (entries.containsKey(TILE_WIDTH) || entries.containsKey(TILE_OFFSETS)) {
        long wide = number(TILE_WIDTH, 0);
        long high = number(TILE_HEIGHT, 0);
        if (wide < 1 || high < 1) {
          throw ImageHeader.headerDamaged(name);
        }
        long whole = bytesAPixel * width * height;
        if (wide > Math.max(LARGE_BLOCK, whole) / high / bytesAPixel) {
          throw ImageHeader.headerDamaged(name);
        }
        long tiles = ceiling(width, wide) * ceiling(height, high) * planes;
        checkBlocks(tiles, TILE_OFFSETS, TILE_LENGTHS);
      } else {
        long rows = Math.min(height, number(ROWS, height));
        if (rows < 1) {
          throw ImageHeader.headerDamaged(name);
        }
        checkBlocks(ceiling(height, rows) * planes, STRIP_OFFSETS, STRIP_LENGTHS);
      }
      checkKind((int) depth);
      int colors = colors((int) samples);
      int alphaSample = colors;
      while (alphaSample < samples && !isAlpha(alphaSample - colors)) {
        alphaSample++;
      }
      Alpha alpha = samples == colors ? Alpha.NONE : Alpha.OTHER;
      if (alphaSample < samples) {
        alpha = extra(alphaSample - colors) == 1 ? Alpha.ASSOCIATED : Alpha.STRAIGHT;
      }
      return new Tiff((int) width, (int) height, colors, alpha, alphaSample, orientation());
    }

    /** Refuses what no decoder here shows as it was meant. */
    private void checkKind(int depth) {
      long format = number(FORMAT, 1, 0);
      String kind =
          format == FLOATING
              ? "floating-point samples, whose range it does not tell"
              : depth > 16
                  ? "samples of " + depth + " bits, whose range it does not tell"
                  : format == SIGNED && depth > 8 ? "samples below 0" : "";
      if (!kind.isEmpty()) {
        throw new ImageException(
            "%s is a TIFF file of %s; save it with 8 or 16 bits a sample".formatted(name, kind));
      }
    }

    /** How many samples of a pixel are colours. */
    private int colors(int samples) {
      int space = (int) number(PHOTOMETRIC, samples >= 3 ? RGB : GRAY);
      int colors =
          switch (space) {
            case 0, GRAY, PALETTE -> 1;
            case RGB, YCBCR -> 3;
            case CMYK -> 4;
            default -> 0;
          };
      boolean further = samples > colors && space != GRAY && space != RGB;
      if (colors == 0 || further) {
        throw new ImageException(
            "%s is a TIFF file of %d samples a pixel in the colour space %d, which is not read; save it as RGB"
                .formatted(name, samples, space));
      }
      if (samples < colors) {
        throw ImageHeader.headerDamaged(name);
      }
      return colors;
    }

    private boolean isAlpha(int place) {
      long kind = extra(place);
      return kind == 1 || kind == 2 || kind == UNASSIGNED;
    }

    /** What a sample next to the colours is; alpha where the file does not tell, as to Pillow. */
    private long extra(int place) {
      return count(EXTRA) == 0 ? 2 : place < count(EXTRA) ? number(EXTRA, 0, place) : 0;
    }

    /** Takes it out of the file, since OpenCV turns some kinds of images and not others. */
    private Orientation orientation() {
      Integer entry = entries.get(TURNED);
      if (entry != null) {
        Orientation told = Orientation.at(bytes, entry);
        bytes.putShort(entry + 2, (short) 3).putInt(entry + 4, 1).putInt(entry + 8, 0);
        bytes.putShort(entry + 8, (short) 1);
        return told;
      }
      Integer xmp = entries.get(XMP);
      long from = xmp == null ? 0 : Integer.toUnsignedLong(bytes.getInt(xmp + 8));
      if (count(XMP) <= 4 || from + count(XMP) > bytes.capacity()) {
        return Orientation.UPRIGHT;
      }
      return CameraNotes.NONE
          .withXmp((int) from, (int) (from + count(XMP)))
          .orientation(bytes.array());
    }

    private static long ceiling(long number, long step) {
      return (number + step - 1) / step;
    }

    /** Bits a sample, which have to be the same for all. */
    private long depth() {
      long depth = number(DEPTH, 1, 0);
      if (count(DEPTH) > MOST_SAMPLES) {
        throw ImageHeader.headerDamaged(name);
      }
      for (long i = 1; i < count(DEPTH); i++) {
        if (number(DEPTH, 1, i) != depth) {
          throw ImageHeader.headerDamaged(name);
        }
      }
      return depth;
    }

    /** Where the compressed samples lie. */
    private void checkBlocks(long blocks, int offsets, int lengths) {
      if (count(offsets) < blocks || count(lengths) < blocks) {
        throw ImageHeader.headerDamaged(name);
      }
      long file = bytes.capacity();
      long all = 0;
      for (long i = 0; i < blocks; i++) {
        long length = number(lengths, 0, i);
        all += length;
        if (number(offsets, 0, i) + length > file || all > MOST_REPEATS * file) {
          throw ImageHeader.pixelsDamaged(name);
        }
      }
    }

    private long number(int tag, long absent) {
      if (count(tag) > 1) {
        throw ImageHeader.headerDamaged(name);
      }
      return number(tag, absent, 0);
    }

    private long count(int tag) {
      Integer entry = entries.get(tag);
      return entry == null ? 0 : Integer.toUnsignedLong(bytes.getInt(entry + 4));
    }

    private long number(int tag, long absent, long index) {
      Integer entry = entries.get(tag);
      if (entry == null) {
        return absent;
      }
      int type = bytes.getShort(entry + 2);
      int size =
          switch (type) {
            case 1 -> 1;
            case 3 -> 2;
            case 4 -> 4;
            default -> throw ImageHeader.headerDamaged(name);
          };
      boolean inside = size * count(tag) <= 4;
      long start = inside ? entry + 8 : Integer.toUnsignedLong(bytes.getInt(entry + 8));
      if (index >= count(tag) || start + size * count(tag) > bytes.capacity()) {
        throw ImageHeader.headerDamaged(name);
      }
      int at = (int) (start + size * index);
      return switch (size) {
        case 1 -> bytes.get(at) & 0xFF;
        case 2 -> bytes.getShort(at) & 0xFFFF;
        default -> Integer.toUnsignedLong(bytes.getInt(at));
      };
    }
  }
}
