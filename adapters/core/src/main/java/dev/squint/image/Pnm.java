package dev.squint.image;

import org.opencv.core.CvType;
import org.opencv.core.Mat;

/**
 * A PBM, PGM or PPM file (P1 to P6). Samples are scaled from what the file calls the largest to
 * 255, in files of more than 8 bits too, where Pillow cuts gray off at 255 and viewers do not.
 *
 * @param data the file
 * @param width pixels a row
 * @param height rows
 * @param kind the digit after the P
 * @param most the largest sample
 * @param start where the samples begin
 */
record Pnm(byte[] data, int width, int height, int kind, int most, int start)
    implements PixelDecoder {

  private static final int DEEPEST = 65_535;

  static boolean starts(byte[] data) {
    return data.length > 2
        && data[0] == 'P'
        && data[1] >= '1'
        && data[1] <= '6'
        && (isBlank(data[2]) || data[2] == '#');
  }

  static Pnm read(String name, byte[] data) {
    Reader reader = new Reader(name, data, 2);
    int kind = data[1] - '0';
    int width = reader.number();
    int height = reader.number();
    ImageHeader.checkSize(name, width, height);
    int most = isBits(kind) ? 1 : reader.number();
    if (most < 1 || most > DEEPEST) {
      throw ImageHeader.headerDamaged(name);
    }
    if (isPlain(kind)) {
      return new Pnm(data, width, height, kind, most, reader.at);
    }
    // One blank parts header and samples, whatever the first sample looks like.
    Pnm pnm = new Pnm(data, width, height, kind, most, reader.at + 1);
    if (pnm.start + pnm.rowBytes() * height > data.length) {
      throw ImageHeader.withoutEnd(name);
    }
    return pnm;
  }

  private static boolean isPlain(int kind) {
    return kind <= 3;
  }

  private static boolean isBits(int kind) {
    return kind == 1 || kind == 4;
  }

  private int channels() {
    return kind == 3 || kind == 6 ? 3 : 1;
  }

  private long rowBytes() {
    return isBits(kind) ? (width + 7) / 8 : (long) width * channels() * (most > 255 ? 2 : 1);
  }

  @Override
  public Mat decode(String name) {
    Reader reader = new Reader(name, data, start);
    int channels = channels();
    byte[] row = new byte[3 * width];
    Mat bgr = new Mat(height, width, CvType.CV_8UC3);
    try {
      for (int y = 0; y < height; y++) {
        for (int i = 0; i < width * channels; i++) {
          byte sample = (byte) (isPlain(kind) ? plain(reader) : packed(y, i));
          if (channels == 3) {
            row[i / 3 * 3 + 2 - i % 3] = sample;
          } else {
            row[3 * i] = sample;
            row[3 * i + 1] = sample;
            row[3 * i + 2] = sample;
          }
        }
        bgr.put(y, 0, row);
      }
      return bgr;
    } catch (ImageException e) {
      bgr.release();
      throw e;
    }
  }

  private int plain(Reader reader) {
    if (isBits(kind)) {
      return reader.bit() == 1 ? 0 : 255;
    }
    int sample = reader.number();
    if (sample > most) {
      throw ImageHeader.pixelsDamaged(reader.name);
    }
    return scaled(sample);
  }

  private int packed(int y, int i) {
    int row = start + (int) (y * rowBytes());
    if (isBits(kind)) {
      return (data[row + i / 8] >> 7 - i % 8 & 1) == 1 ? 0 : 255;
    }
    if (most > 255) {
      return scaled((data[row + 2 * i] & 0xFF) << 8 | data[row + 2 * i + 1] & 0xFF);
    }
    return scaled(data[row + i] & 0xFF);
  }

  private int scaled(int sample) {
    return most == 255 ? sample : Math.min(255, (int) Math.rint((double) sample / most * 255));
  }

  private static boolean isBlank(int letter) {
    return letter == ' ' || letter >= '\t' && letter <= '\r';
  }

  /** Reads numbers between blanks and comments. */
  private static final class Reader {

    private static final int MOST_DIGITS = 9;

    private final String name;
    private final byte[] data;
    private int at;

    Reader(String name, byte[] data, int at) {
      this.name = name;
      this.data = data;
      this.at = at;
    }

    int number() {
      skip();
      int number = 0;
      int first = at;
      while (at < data.length && data[at] >= '0' && data[at] <= '9') {
        number = 10 * number + data[at] - '0';
        at++;
        if (at - first > MOST_DIGITS) {
          throw ImageHeader.headerDamaged(name);
        }
      }
      if (at == first) {
        throw at < data.length ? ImageHeader.headerDamaged(name) : ImageHeader.withoutEnd(name);
      }
      if (at < data.length && !isBlank(data[at]) && data[at] != '#') {
        throw ImageHeader.headerDamaged(name);
      }
      return number;
    }

    int bit() {
      skip();
      if (at == data.length) {
        throw ImageHeader.withoutEnd(name);
      }
      int bit = data[at] - '0';
      at++;
      if (bit != 0 && bit != 1) {
        throw ImageHeader.pixelsDamaged(name);
      }
      return bit;
    }

    private void skip() {
      boolean comment = false;
      while (at < data.length && (comment || isBlank(data[at]) || data[at] == '#')) {
        comment = data[at] != '\n' && data[at] != '\r' && (comment || data[at] == '#');
        at++;
      }
    }
  }
}
