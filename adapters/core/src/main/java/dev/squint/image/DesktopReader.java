package dev.squint.image;

import java.awt.image.Raster;
import java.io.IOException;
import java.util.Iterator;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.ImageInputStreamImpl;
import org.opencv.core.CvType;
import org.opencv.core.Mat;

/** A reader of the desktop library that comes with Java. */
enum DesktopReader {
  JPEG("jpeg"),
  TIFF("tiff");

  private final String format;

  DesktopReader(String format) {
    this.format = format;
  }

  /**
   * Reads.
   *
   * @param name what the file is called in messages
   * @param data the file
   * @param reading what is done with the reader
   * @throws ImageException if the file is damaged
   */
  <T> T read(String name, byte[] data, Reading<T> reading) {
    ImageReader reader = reader(name);
    try (ImageInputStream in = new Bytes(data)) {
      reader.setInput(in, true, true);
      return reading.from(reader);
    } catch (IOException | RuntimeException e) {
      throw new ImageException(name + ImageHeader.PIXELS_DAMAGED, e);
    } finally {
      reader.dispose();
    }
  }

  /** Not one that the host has added: what that one tells is not known. */
  private ImageReader reader(String name) {
    Iterator<ImageReader> readers = ImageIO.getImageReadersByFormatName(format);
    while (readers.hasNext()) {
      ImageReader reader = readers.next();
      if (reader.getClass().getName().startsWith("com.sun.imageio.plugins." + format)) {
        return reader;
      }
    }
    throw new ImageException(
        "%s cannot be read: this Java has no reader of %s files; install a full JDK"
            .formatted(name, name()));
  }

  /** A new 8-bit BGR matrix of what was read, to be released by the caller. */
  static Mat bgr(Raster raster, Sampling sampling) {
    int width = raster.getWidth();
    int bands = raster.getNumBands();
    int[] samples = new int[bands * width];
    byte[] row = new byte[3 * width];
    Mat bgr = new Mat(raster.getHeight(), width, CvType.CV_8UC3);
    for (int y = 0; y < raster.getHeight(); y++) {
      raster.getPixels(0, y, width, 1, samples);
      for (int i = 0; i < row.length; i++) {
        row[i] = (byte) sampling.of(samples, i / 3 * bands, 2 - i % 3);
      }
      bgr.put(y, 0, row);
    }
    return bgr;
  }

  /** Red, green or blue, 0 to 2, of the pixel whose samples begin at a place of a row. */
  @FunctionalInterface
  interface Sampling {
    int of(int[] samples, int pixel, int color);
  }

  /** What is done with a reader that has its input. */
  @FunctionalInterface
  interface Reading<T> {
    T from(ImageReader reader) throws IOException;
  }

  /** A file in memory; the desktop library's own stream of this kind would copy it. */
  private static final class Bytes extends ImageInputStreamImpl {

    private final byte[] data;

    Bytes(byte[] data) {
      this.data = data;
    }

    @Override
    public int read() {
      bitOffset = 0;
      return streamPos < data.length ? data[(int) streamPos++] & 0xFF : -1;
    }

    @Override
    public int read(byte[] target, int at, int length) {
      bitOffset = 0;
      int count = (int) Math.min(length, data.length - streamPos);
      if (count <= 0) {
        return length == 0 ? 0 : -1;
      }
      System.arraycopy(data, (int) streamPos, target, at, count);
      streamPos += count;
      return count;
    }

    @Override
    public long length() {
      return data.length;
    }
  }
}
