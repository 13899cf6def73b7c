package dev.squint.adapters;

import java.awt.Rectangle;
import java.awt.image.BufferedImage;
import java.awt.image.Raster;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import javax.imageio.ImageReadParam;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.ImageInputStreamImpl;
import org.opencv.core.CvType;
import org.opencv.core.Mat;

/**
 * The desktop library's reader of JPEG files. It tells what the native decoder would only print to
 * standard error, and gives the same samples to the bit; but it cannot read every kind.
 */
final class DesktopJpeg {

  private static final String OWN = "com.sun.imageio.plugins.jpeg.";
  private static final Pattern PADDED =
      Pattern.compile("Corrupt JPEG data: (\\d{1,9}) extraneous bytes before marker 0xd9");

  private DesktopJpeg() {}

  /**
   * Decodes all pixels once, keeping none.
   *
   * @return whether a decoder has nothing to print about it
   * @throws ImageException if its pixels are damaged
   */
  static boolean isSilent(String name, byte[] data, Jpeg jpeg) {
    List<String> warnings = new ArrayList<>();
    read(
        name,
        data,
        reader -> {
          reader.addIIOReadWarningListener((source, warning) -> warnings.add(warning));
          ImageReadParam lastPixel = reader.getDefaultReadParam();
          lastPixel.setSourceRegion(new Rectangle(jpeg.width() - 1, jpeg.height() - 1, 1, 1));
          return reader.readRaster(0, lastPixel);
        });
    for (String warning : warnings) {
      Matcher padded = PADDED.matcher(warning);
      if (!padded.matches() || !isPadding(data, jpeg.end(), Integer.parseInt(padded.group(1)))) {
        throw ImageHeader.pixelsDamaged(name);
      }
    }
    return warnings.isEmpty();
  }

  /** Whether so many bytes before the end are alike; otherwise they are pixels that got lost. */
  private static boolean isPadding(byte[] data, int end, int count) {
    for (int i = 2; i <= Math.min(count, end); i++) {
      if (data[end - i] != data[end - 1]) {
        return false;
      }
    }
    return true;
  }

  /**
   * Decodes one over which the native decoder would print.
   *
   * @return a new 8-bit BGR matrix as stored, to be released by the caller
   */
  static Mat decode(String name, byte[] data) {
    BufferedImage image = read(name, data, reader -> reader.read(0));
    Raster raster = image.getRaster();
    int bands = raster.getNumBands();
    if (bands != 1 && bands != 3) {
      throw ImageHeader.pixelsDamaged(name);
    }
    int[] in = new int[bands * raster.getWidth()];
    byte[] out = new byte[3 * raster.getWidth()];
    Mat bgr = new Mat(raster.getHeight(), raster.getWidth(), CvType.CV_8UC3);
    for (int y = 0; y < raster.getHeight(); y++) {
      raster.getPixels(0, y, raster.getWidth(), 1, in);
      for (int i = 0; i < out.length; i++) {
        int pixel = i / 3 * bands;
        out[i] = (byte) in[bands == 1 ? pixel : pixel + 2 - i % 3];
      }
      bgr.put(y, 0, out);
    }
    return bgr;
  }

  private static <T> T read(String name, byte[] data, Reading<T> reading) {
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
  private static ImageReader reader(String name) {
    Iterator<ImageReader> readers = ImageIO.getImageReadersByFormatName("jpeg");
    while (readers.hasNext()) {
      ImageReader reader = readers.next();
      if (reader.getClass().getName().startsWith(OWN)) {
        return reader;
      }
    }
    throw new ImageException(
        name + " cannot be checked: this Java has no reader of JPEG files; install a full JDK");
  }

  /** What is done with a reader that has its input. */
  @FunctionalInterface
  private interface Reading<T> {
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
