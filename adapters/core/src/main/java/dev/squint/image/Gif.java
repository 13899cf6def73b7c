package dev.squint.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.opencv.core.CvType;
import org.opencv.core.Mat;

/**
 * The first frame of a GIF file, as Pillow and viewers show it: on the whole screen, its clear
 * pixels to be seen through. Where the frame is smaller than the screen and has no clear colour,
 * colour 0 lies around it, which is Pillow's way. The desktop library's reader is not used, because
 * it does not tell that pixels are missing.
 *
 * @param data the file
 * @param width pixels a row of the screen
 * @param height rows of the screen
 * @param frame where the frame lies on it
 * @param interlaced whether the rows are stored in four passes
 * @param colors red, green and blue of each of 256 indices
 * @param clear the index that is clear, -1 if none is
 * @param bits bits of an index
 * @param start where the blocks of compressed indices begin
 */
record Gif(
    byte[] data,
    int width,
    int height,
    Resampler.Window frame,
    boolean interlaced,
    byte[] colors,
    int clear,
    int bits,
    int start)
    implements PixelDecoder {

  private static final int HEADER = 13;
  private static final int FRAME = 0x2C;
  private static final int EXTENSION = 0x21;
  private static final int END = 0x3B;
  private static final int CONTROL = 0xF9;
  private static final int HAS_COLORS = 0x80;
  private static final int MOST_BITS = 8;

  /** First row and rows apart of each pass. */
  private static final int[][] PASSES = {{0, 8}, {4, 8}, {2, 4}, {1, 2}};

  /** Reads all that comes before the pixels in one pass. */
  static Gif read(String name, byte[] data) {
    try {
      return new Blocks(name, data).firstFrame();
    } catch (IndexOutOfBoundsException e) {
      throw new ImageException(ImageHeader.withoutEnd(name).getMessage(), e);
    }
  }

  @Override
  public Mat decode(String name) {
    byte[] indices = indices(name);
    byte[] row = new byte[4 * width];
    Mat bgra = new Mat(height, width, CvType.CV_8UC4);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        boolean inside =
            x >= frame.left() && x < frame.right() && y >= frame.top() && y < frame.bottom();
        int around = Math.max(clear, 0);
        int index =
            inside ? indices[(y - frame.top()) * frame.width() + x - frame.left()] & 0xFF : around;
        row[4 * x] = colors[3 * index + 2];
        row[4 * x + 1] = colors[3 * index + 1];
        row[4 * x + 2] = colors[3 * index];
        row[4 * x + 3] = (byte) (index == clear ? 0 : 255);
      }
      bgra.put(y, 0, row);
    }
    return bgra;
  }

  /** The frame's rows from top to bottom. */
  private byte[] indices(String name) {
    byte[] stored = new byte[frame.width() * frame.height()];
    if (new Codes().decode(stored) < stored.length) {
      throw ImageHeader.pixelsDamaged(name);
    }
    if (!interlaced) {
      return stored;
    }
    byte[] sorted = new byte[stored.length];
    int from = 0;
    for (int[] pass : PASSES) {
      for (int y = pass[0]; y < frame.height(); y += pass[1]) {
        System.arraycopy(stored, from, sorted, y * frame.width(), frame.width());
        from += frame.width();
      }
    }
    return sorted;
  }

  /** What comes before the pixels. */
  private static final class Blocks {

    private final String name;
    private final ByteBuffer bytes;
    private int at = HEADER;
    private int clear = -1;

    Blocks(String name, byte[] data) {
      this.name = name;
      this.bytes = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
    }

    Gif firstFrame() {
      String kind = new String(bytes.array(), 0, 6, StandardCharsets.ISO_8859_1);
      if (!kind.equals("GIF87a") && !kind.equals("GIF89a")) {
        throw ImageHeader.headerDamaged(name);
      }
      int width = bytes.getShort(6) & 0xFFFF;
      int height = bytes.getShort(8) & 0xFFFF;
      byte[] colors = colors(bytes.get(10), grays());
      while (true) {
        int block = bytes.get(at++) & 0xFF;
        if (block == FRAME) {
          return frame(width, height, colors);
        }
        if (block == END) {
          throw new ImageException(name + " is a GIF file without an image; give another file");
        }
        if (block == EXTENSION) {
          extension();
        }
      }
    }

    private Gif frame(int screenWidth, int screenHeight, byte[] shared) {
      int left = bytes.getShort(at) & 0xFFFF;
      int top = bytes.getShort(at + 2) & 0xFFFF;
      int right = left + (bytes.getShort(at + 4) & 0xFFFF);
      int bottom = top + (bytes.getShort(at + 6) & 0xFFFF);
      int flags = bytes.get(at + 8);
      at += 9;
      if (left == right || top == bottom) {
        throw ImageHeader.headerDamaged(name);
      }
      int width = Math.max(screenWidth, right);
      int height = Math.max(screenHeight, bottom);
      ImageHeader.checkSize(name, width, height);
      byte[] colors = colors(flags, shared);
      int bits = bytes.get(at++);
      if (bits < 1 || bits > MOST_BITS) {
        throw ImageHeader.headerDamaged(name);
      }
      return new Gif(
          bytes.array(),
          width,
          height,
          new Resampler.Window(left, top, right, bottom),
          (flags & 0x40) != 0,
          colors,
          clear,
          bits,
          at);
    }

    private static byte[] grays() {
      byte[] colors = new byte[3 * 256];
      for (int i = 0; i < colors.length; i++) {
        colors[i] = (byte) (i / 3);
      }
      return colors;
    }

    /** The colours that come here, if there are any; what an index lacks is gray. */
    private byte[] colors(int flags, byte[] otherwise) {
      if ((flags & HAS_COLORS) == 0) {
        return otherwise;
      }
      byte[] colors = grays();
      int length = 3 << (flags & 7) + 1;
      bytes.get(at, colors, 0, length);
      at += length;
      return colors;
    }

    private void extension() {
      int label = bytes.get(at++) & 0xFF;
      int length = bytes.get(at) & 0xFF;
      if (label == CONTROL && length >= 4 && (bytes.get(at + 1) & 1) != 0) {
        clear = bytes.get(at + 4) & 0xFF;
      }
      while (length > 0) {
        at += 1 + length;
        length = bytes.get(at) & 0xFF;
      }
      at++;
    }
  }

  /** Compressed indices: codes of growing length, each for a known row of indices. */
  private final class Codes {

    private static final int MOST_CODES = 1 << 12;

    private final int[] prefixes = new int[MOST_CODES];
    private final byte[] lasts = new byte[MOST_CODES];
    private final byte[] row = new byte[MOST_CODES];
    private int at = start;
    private int blockLeft;
    private int pending;
    private int pendingBits;

    /** Fills an array as far as the codes go, and tells how far that is. */
    int decode(byte[] target) {
      int reset = 1 << bits;
      int next = reset + 2;
      int length = bits + 1;
      int before = -1;
      byte first = 0;
      int filled = 0;
      while (filled < target.length) {
        int code = code(length);
        if (code == reset) {
          next = reset + 2;
          length = bits + 1;
          before = -1;
          continue;
        }
        if (code < 0 || code == reset + 1 || code > next || before < 0 && code > reset) {
          return filled;
        }
        int depth = 0;
        int known = code;
        if (code == next) {
          row[depth++] = first;
          known = before;
        }
        while (known > reset) {
          row[depth++] = lasts[known];
          known = prefixes[known];
        }
        first = (byte) known;
        target[filled++] = first;
        while (depth > 0 && filled < target.length) {
          target[filled++] = row[--depth];
        }
        if (before >= 0 && next < MOST_CODES) {
          prefixes[next] = before;
          lasts[next] = first;
          next++;
          length += next == 1 << length && length < 12 ? 1 : 0;
        }
        before = code;
      }
      return filled;
    }

    /** The next code, -1 if there is none. */
    private int code(int length) {
      while (pendingBits < length) {
        if (blockLeft == 0) {
          blockLeft = at < data.length ? data[at++] & 0xFF : 0;
        }
        if (blockLeft == 0 || at >= data.length) {
          return -1;
        }
        pending |= (data[at++] & 0xFF) << pendingBits;
        pendingBits += 8;
        blockLeft--;
      }
      int code = pending & (1 << length) - 1;
      pending >>>= length;
      pendingBits -= length;
      return code;
    }
  }
}
