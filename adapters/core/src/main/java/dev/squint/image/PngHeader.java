package dev.squint.image;

import java.nio.ByteBuffer;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * The header of a PNG file.
 *
 * @param width pixels a row
 * @param height rows
 * @param depth bits a sample
 * @param colorType what a pixel holds: bit 0 for an index, bit 1 for colour, bit 2 for alpha
 * @param interlaced whether the rows are stored in seven passes
 */
record PngHeader(int width, int height, int depth, int colorType, boolean interlaced) {

  static final int LENGTH = 13;

  /** Where the kind of pixels stands in the header. */
  static final int COLOR_TYPE_AT = 9;

  static final int INDEXED = 3;
  private static final int COLOR = 2;
  private static final int ALPHA = 4;
  private static final int LAST_FILTER = 4;
  private static final int[][] WHOLE = {{0, 0, 1, 1}};

  /** First column, first row, columns apart, rows apart of each pass. */
  private static final int[][] PASSES = {
    {0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}
  };

  /**
   * Reads one, and refuses what the native decoder would refuse with a line of its own.
   *
   * @param data the file, whose header begins at {@code at}
   */
  static PngHeader read(String name, byte[] data, int at) {
    ByteBuffer bytes = ByteBuffer.wrap(data, at, LENGTH);
    int width = bytes.getInt();
    int height = bytes.getInt();
    if (width <= 0 || height <= 0) {
      throw ImageHeader.headerDamaged(name);
    }
    ImageHeader.checkSize(name, width, height);
    int depth = bytes.get();
    int colorType = bytes.get();
    int compression = bytes.get();
    int filter = bytes.get();
    int interlace = bytes.get();
    boolean sound =
        switch (colorType) {
          case 0 -> depth == 1 || depth == 2 || depth == 4 || depth == 8 || depth == 16;
          case INDEXED -> depth == 1 || depth == 2 || depth == 4 || depth == 8;
          case COLOR, ALPHA, COLOR | ALPHA -> depth == 8 || depth == 16;
          default -> false;
        };
    if (!sound || compression != 0 || filter != 0 || interlace < 0 || interlace > 1) {
      throw ImageHeader.headerDamaged(name);
    }
    return new PngHeader(width, height, depth, colorType, interlace == 1);
  }

  boolean indexed() {
    return colorType == INDEXED;
  }

  boolean gray() {
    return colorType == 0;
  }

  boolean alpha() {
    return (colorType & ALPHA) != 0;
  }

  /** How many colours an index can name. */
  int colors() {
    return 1 << depth;
  }

  /** Whether a transparent colour can be meant by a chunk of so many bytes. */
  boolean takesTransparency(byte[] chunk, int colors) {
    if (indexed()) {
      return chunk.length > 0 && chunk.length <= colors;
    }
    if (alpha() || chunk.length != 2 * channels()) {
      return false;
    }
    for (int i = 0; i < chunk.length; i += 2) {
      if (((chunk[i] & 0xFF) << 8 | chunk[i + 1] & 0xFF) >> depth != 0) {
        return false;
      }
    }
    return true;
  }

  private int channels() {
    return ((colorType & COLOR) != 0 && !indexed() ? 3 : 1) + (alpha() ? 1 : 0);
  }

  /**
   * Decompresses the samples once, keeping none, because the native decoder prints to standard
   * error about every fault in them.
   *
   * @return how many of the bytes hold samples
   */
  int checkSamples(String name, byte[] data, int from, int length) {
    Inflater inflater = new Inflater();
    try {
      inflater.setInput(data, from, length);
      Samples samples = new Samples(inflater);
      for (int[] pass : interlaced ? PASSES : WHOLE) {
        int columns = Math.max(0, width - pass[0] + pass[2] - 1) / pass[2];
        int rows = Math.max(0, height - pass[1] + pass[3] - 1) / pass[3];
        long bytes = ((long) columns * channels() * depth + 7) / 8;
        for (int row = 0; columns > 0 && row < rows; row++) {
          if (samples.next() > LAST_FILTER) {
            throw ImageHeader.pixelsDamaged(name);
          }
          samples.skip(bytes);
        }
      }
      if (!samples.atEnd() || inflater.getBytesRead() > mostCompressed()) {
        throw ImageHeader.pixelsDamaged(name);
      }
      return (int) inflater.getBytesRead();
    } catch (DataFormatException e) {
      throw new ImageException(ImageHeader.pixelsDamaged(name).getMessage(), e);
    } finally {
      inflater.end();
    }
  }

  /** Above this the native decoder refuses a block. */
  private long mostCompressed() {
    long row = (long) width * channels() * (depth > 8 ? 2 : 1) + 1 + (interlaced ? 6 : 0);
    long all = row * height;
    return all + 6 + 5 * (all / Math.min(row, 32_566) + 1);
  }

  /** What comes out of a compressed block, a buffer at a time. */
  private static final class Samples {

    private final Inflater inflater;
    private final byte[] buffer = new byte[1 << 16];
    private int at;
    private int end;

    Samples(Inflater inflater) {
      this.inflater = inflater;
    }

    int next() throws DataFormatException {
      fill();
      return buffer[at++] & 0xFF;
    }

    void skip(long count) throws DataFormatException {
      long left = count;
      while (left > 0) {
        fill();
        int step = (int) Math.min(left, end - at);
        at += step;
        left -= step;
      }
    }

    /** Whether all has come out and its checksum is right. */
    boolean atEnd() throws DataFormatException {
      return at == end && inflater.inflate(buffer) == 0 && inflater.finished();
    }

    private void fill() throws DataFormatException {
      if (at == end) {
        at = 0;
        end = inflater.inflate(buffer);
        if (end == 0) {
          throw new DataFormatException("samples are missing");
        }
      }
    }
  }
}
